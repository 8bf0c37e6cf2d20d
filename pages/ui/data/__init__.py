"""Components that get the data.

get_data   download, import, Shapes-10
"""
