"""What Facebook and Instagram share: Meta's Graph API, audiences, and what people left on a profile of the company.

facebook, instagram    cards, connections, where comments are listed
└── meta.profile       find, erase, verify, export of one profile
    ├── meta.audiences      removal from all audiences of an ad account
    ├── meta.contributions  posts, comments and answers below one's own content
    ├── meta.inbox          conversations, which no call can delete
    └── meta.graph          one token's calls: pages, batches, errors and what they mean
"""
