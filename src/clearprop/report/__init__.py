"""Reports: a run as one page that needs neither Python nor a network."""

from clearprop.report.run_page import FORMAT, RunPage, kept_data, page_data, page_text, write_page

__all__ = ["FORMAT", "RunPage", "kept_data", "page_data", "page_text", "write_page"]
