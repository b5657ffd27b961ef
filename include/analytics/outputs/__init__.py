"""What people get of a release: data with its dictionary, a page, and a manifest that names every file.

publication ── everything that is known about a release that is about to be made
drafting    ── its files
dictionary  ── what each column means, as a Frictionless table schema
manifest    ── how it was made and what it costs
page        ── one HTML file without anything from elsewhere; charts with the margin of error
folder      ── copies of settled releases in a folder or a bucket
"""
