"""One module for each tool whose output the gate reads: `parse(text)` gives frozen data or raises ParseError."""
