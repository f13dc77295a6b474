"""The product as the blinded side sees it: masked bags, the dosing gate, infusions."""
