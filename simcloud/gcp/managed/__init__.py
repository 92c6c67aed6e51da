"""Services that are told by tables (`simcloud.gcp.kinds`), each with the rules that only it has."""
