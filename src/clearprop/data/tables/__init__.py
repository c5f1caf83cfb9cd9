"""Tables: text, workbooks and columnar files, and what each column of them is."""
