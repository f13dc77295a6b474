"""Analysis datasets: derived from SDTM-shaped tables at a cut by small pure functions, each value with its entries."""
