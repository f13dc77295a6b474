"""What the record of a dose says about it by itself: SDTM variables of EC that no form may ask for again.

The rule that must stay true: a fact of a dose is entered once, where the dose is given; whatever else wants it reads it
there. Source: CDISC SDTMIG 3.4 (EC), SDTM 2.0 for the labels of standard variables; the others are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

EXPOSURE = "EC"
"""The domain of what was given, as it was collected."""

RECORDED: Mapping[str, str] = {
    "ECADJ": "Reason for Dose Adjustment",
    "ECCOMPL": "Completed or Stopped",
    "ECENDTC": "End Date/Time of Treatment",
    "ECINTMIN": "Minutes of Interruption",
    "ECINTP": "Interrupted",
    "ECINTRSN": "Reason of the Interruption",
    "ECMIN": "Minutes from Start to End",
    "ECOCCUR": "Occurrence",
    "ECPRESP": "Pre-Specified",
    "ECREASOC": "Reason for Occur Value",
    "ECRECHK": "Conditions of the Dose Held at Bedside",
    "ECREFID": "Reference ID",
    "ECSHARE": "Share Given in Percent",
    "ECSTDTC": "Start Date/Time of Treatment",
    "ECTWO": "Bag and Participant Checked by Two",
    "ECWT": "Weight the Dose Was Asked for With",
}
"""Variable -> label, for a study whose doses are recorded where they are given."""
