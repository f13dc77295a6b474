"""A registry record as the text of a trial page: the labels and the order of a saved page, filled from a record.

Written from the real page of the reference notes, without looking at the reader: what a page and its record both say
must come out the same from both.
"""

from __future__ import annotations

import re
from typing import Any

STATUS = {
    "NOT_YET_RECRUITING": "Not yet enrolling",
    "RECRUITING": "Enrolling",
    "ENROLLING_BY_INVITATION": "Invitation-only",
    "ACTIVE_NOT_RECRUITING": "Active, not enrolling",
    "NO_LONGER_AVAILABLE": "No longer available",
    "APPROVED_FOR_MARKETING": "Approved for marketing",
}
PHASES = {"NA": "N/A", "EARLY_PHASE1": "Early Phase 1"}
ALLOCATION = {"RANDOMIZED": "Randomized", "NON_RANDOMIZED": "Non-Randomized", "NA": "N/A"}
MODEL = {"PARALLEL": "Parallel", "SINGLE_GROUP": "Single Group"}
FUNDERS = {"INDUSTRY": "Industry", "NIH": "NIH", "FED": "U.S. Federal", "OTHER_GOV": "Other Government"}
FUNDERS |= {"INDIV": "Individual", "NETWORK": "Network", "UNKNOWN": "Unknown"}


def shown(code: str) -> str:
    """`PLACEBO_COMPARATOR` as `Placebo Comparator`."""
    return code.replace("_", " ").title()


def plain(text: str) -> str:
    """Registry text without the backslashes that protect its signs."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def page_of(record: dict[str, Any], *, spaced_groups: bool = False) -> str:
    """The page of a record, as it would be saved; `spaced_groups` puts a blank line after each group."""
    protocol = record["protocolSection"]
    lines = ["ClinicalTrials.Veeva", "", "Menu", "", *_head(protocol), *_people(protocol)]
    lines += [*_design(protocol), *_groups(protocol, spaced=spaced_groups)]
    sites = protocol.get("contactsLocationsModule", {})
    lines += ["Trial contacts and locations", "", str(len(sites.get("locations", []))), "", "Loading...", ""]
    names = "; ".join(contact["name"] for contact in sites.get("centralContacts", []))
    lines += _section("Central trial contact", names)
    lines += ["Data sourced from clinicaltrials.gov", "", "Clinical trials", ""]
    return "\n".join([*lines, "Find clinical trialsTrials by location", "© Copyright 2026 Veeva Systems"])


def _section(heading: str, *values: str) -> list[str]:
    return [heading, "", *values, ""] if any(values) else []


def _head(protocol: dict[str, Any]) -> list[str]:
    identity, sponsors = protocol["identificationModule"], protocol["sponsorCollaboratorsModule"]
    design, described = protocol["designModule"], protocol.get("descriptionModule", {})
    sponsor = sponsors["leadSponsor"]["name"]
    classes = [each.get("class") for each in (sponsors["leadSponsor"], *sponsors.get("collaborators", []))]
    treatments = protocol.get("armsInterventionsModule", {}).get("interventions", [])
    status = protocol["statusModule"]["overallStatus"]
    numbers = [identity["nctId"], identity["orgStudyIdInfo"]["id"]]
    return [
        plain(identity["briefTitle"]),
        "",
        *(sponsor[0].upper(), "", sponsor, ""),
        *_section(
            "Status and phase",
            STATUS.get(status, shown(status).capitalize()),
            *(PHASES.get(code, code.replace("PHASE", "Phase ")) for code in design.get("phases", [])[::-1]),
        ),
        *_section("Conditions", *protocol["conditionsModule"]["conditions"]),
        *_section("Treatments", *(f"{shown(each['type'])}: {plain(each['name'])}" for each in treatments)),
        *_section("Study type", shown(design["studyType"])),
        *_section("Funder types", *dict.fromkeys(FUNDERS.get(str(each), "Other") for each in classes)),
        *_section("Identifiers", *numbers, *(each["id"] for each in identity.get("secondaryIdInfos", []))),
        *("Details and patient eligibility", ""),
        *_section("About", plain(described.get("briefSummary", ""))),
        *_section("Full description", plain(described.get("detailedDescription", ""))),
    ]


def _people(protocol: dict[str, Any]) -> list[str]:
    asked, enrolment = protocol["eligibilityModule"], protocol["designModule"].get("enrollmentInfo")
    lines: list[str] = []
    if enrolment:
        guess = " estimated" if enrolment.get("type") == "ESTIMATED" else ""
        one = "" if enrolment["count"] == 1 else "s"
        lines += _section("Enrollment", f"{enrolment['count']:,}{guess} patient{one}")
    lines += _section("Sex", shown(asked.get("sex", "")))
    lines += _section("Ages", _ages(asked.get("minimumAge"), asked.get("maximumAge")))
    if "healthyVolunteers" in asked:
        lines += _section(
            "Volunteers", f"{'Accepts' if asked['healthyVolunteers'] else 'No'} Healthy Volunteers"
        )
    text = _criteria(asked.get("eligibilityCriteria", ""))
    headed = re.match(r"(Inclusion|Exclusion) criteria\n", text)
    return [*lines, text, ""] if headed else lines + _section("Inclusion and exclusion criteria", text)


def _ages(low: str | None, high: str | None) -> str:
    if low is None and high is None:
        return "All ages"
    first, last = (_age(each) if each else ("", "") for each in (low, high))
    if not high:
        return f"{first[0]}+ {first[1]} old"
    if not low:
        return f"Up to {last[0]} {last[1]} old"
    return (
        f"{first[0]}{'' if low.split()[1] == high.split()[1] else ' ' + first[1]} to {last[0]} {last[1]} old"
    )


def _age(text: str) -> tuple[str, str]:
    number, unit = text.lower().split()
    return number, unit


def _criteria(text: str) -> str:
    lines = []
    for line in plain(text).split("\n"):
        heading = re.fullmatch(r"\W*(inclusion|exclusion) criteria\W*", line, re.I)
        point = re.fullmatch(r"( *)(\*|\d+\.) +(.*)", line)
        if heading:
            lines.append(f"{heading[1].capitalize()} criteria")
        elif point:
            depth = (len(point[1]) + 3) // 4
            sign = point[2] if point[2] != "*" else "◦" if depth else "•"
            lines.append("  " * (depth + 1) + f"{sign} {point[3]}")
        else:
            lines.append(line)
    return "\n".join(lines)


def _design(protocol: dict[str, Any]) -> list[str]:
    design = protocol["designModule"].get("designInfo", {})
    masking = design.get("maskingInfo", {}).get("masking", "")
    model = design.get("interventionModel", "")
    return [
        *("Trial design", ""),
        *_section("Primary purpose", shown(design.get("primaryPurpose", ""))),
        *_section("Allocation", ALLOCATION.get(design.get("allocation", ""), "")),
        *_section("Interventional model", model and f"{MODEL.get(model, shown(model))} Assignment"),
        *_section(
            "Masking", masking and {"NONE": "None (Open label)"}.get(masking, f"{shown(masking)} Blind")
        ),
    ]


def _groups(protocol: dict[str, Any], *, spaced: bool) -> list[str]:
    groups = protocol.get("armsInterventionsModule", {}).get("armGroups", [])
    if not groups:
        return []
    count = protocol["designModule"].get("enrollmentInfo", {}).get("count", 0)
    lines = [f"{count:,} participants in {len(groups)} patient group{'' if len(groups) == 1 else 's'}", ""]
    for group in groups:
        lines.append(plain(group["label"]))
        lines += [f"{shown(group['type'])} group"] if group.get("type") else []
        lines += (
            ["Description:", *plain(group["description"]).split("\n")] if group.get("description") else []
        )
        named = [plain(name) for name in group.get("interventionNames", [])]
        lines += ["Treatment:" if len(named) == 1 else "Treatments:", *named] if named else []
        lines += [""] if spaced else []
    return [*lines, ""]
