"""Events of a period, page by page, from the stores of the estate and from files of a warehouse.

    pages    ── what a reader is asked for and what it yields; which reader reads a source
    documents ── Firestore, a page of documents at a time, resumed behind the last one
    hits     ── Elasticsearch, a point in time read in pages
    files    ── Parquet and CSV behind an fsspec URL, streamed

Only the columns that tables use are asked for; the time of an event selects it and is left behind. What a reader
yields may be larger than memory, and is about people: nothing of it reaches a log or an error.
"""
