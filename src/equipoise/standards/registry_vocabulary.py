"""The registry's words: paths of its record, codes of its closed lists, and the labels a trial page shows for them.

Declarations only. The rule that must stay true: a label is mapped to a code only where no other code could be
meant; a label or code that is not listed here is kept as published and reported, never refused.
Source: the ClinicalTrials.gov API v2 description (US National Library of Medicine) for paths and codes, and pages
of the ClinicalTrials.Veeva site for labels.
"""

from __future__ import annotations

from collections.abc import Mapping

_P = "protocolSection."
NCT_ID = _P + "identificationModule.nctId"
NCT_ALIASES = _P + "identificationModule.nctIdAliases"
ORG_ID = _P + "identificationModule.orgStudyIdInfo.id"
SECONDARY_IDS = _P + "identificationModule.secondaryIdInfos"
BRIEF_TITLE = _P + "identificationModule.briefTitle"
OFFICIAL_TITLE = _P + "identificationModule.officialTitle"
ACRONYM = _P + "identificationModule.acronym"
ORGANIZATION = _P + "identificationModule.organization.fullName"
STATUS = _P + "statusModule.overallStatus"
STATUS_VERIFIED = _P + "statusModule.statusVerifiedDate"
WHY_STOPPED = _P + "statusModule.whyStopped"
START = _P + "statusModule.startDateStruct"
PRIMARY_COMPLETION = _P + "statusModule.primaryCompletionDateStruct"
COMPLETION = _P + "statusModule.completionDateStruct"
FIRST_SUBMITTED = _P + "statusModule.studyFirstSubmitDate"
FIRST_POSTED = _P + "statusModule.studyFirstPostDateStruct"
LAST_SUBMITTED = _P + "statusModule.lastUpdateSubmitDate"
LAST_POSTED = _P + "statusModule.lastUpdatePostDateStruct"
SPONSOR = _P + "sponsorCollaboratorsModule.leadSponsor.name"
SPONSOR_CLASS = _P + "sponsorCollaboratorsModule.leadSponsor.class"
COLLABORATORS = _P + "sponsorCollaboratorsModule.collaborators"
SUMMARY = _P + "descriptionModule.briefSummary"
DESCRIPTION = _P + "descriptionModule.detailedDescription"
CONDITIONS = _P + "conditionsModule.conditions"
KEYWORDS = _P + "conditionsModule.keywords"
STUDY_TYPE = _P + "designModule.studyType"
PHASES = _P + "designModule.phases"
ALLOCATION = _P + "designModule.designInfo.allocation"
MODEL = _P + "designModule.designInfo.interventionModel"
OBSERVATIONAL_MODEL = _P + "designModule.designInfo.observationalModel"
TIME_PERSPECTIVE = _P + "designModule.designInfo.timePerspective"
PURPOSE = _P + "designModule.designInfo.primaryPurpose"
MASKING = _P + "designModule.designInfo.maskingInfo.masking"
WHO_MASKED = _P + "designModule.designInfo.maskingInfo.whoMasked"
ENROLMENT = _P + "designModule.enrollmentInfo"
ENROLMENT_COUNT = ENROLMENT + ".count"
ENROLMENT_TYPE = ENROLMENT + ".type"
ARMS = _P + "armsInterventionsModule.armGroups"
INTERVENTIONS = _P + "armsInterventionsModule.interventions"
PRIMARY_OUTCOMES = _P + "outcomesModule.primaryOutcomes"
SECONDARY_OUTCOMES = _P + "outcomesModule.secondaryOutcomes"
OTHER_OUTCOMES = _P + "outcomesModule.otherOutcomes"
CRITERIA = _P + "eligibilityModule.eligibilityCriteria"
SEX = _P + "eligibilityModule.sex"
MINIMUM_AGE = _P + "eligibilityModule.minimumAge"
MAXIMUM_AGE = _P + "eligibilityModule.maximumAge"
VOLUNTEERS = _P + "eligibilityModule.healthyVolunteers"
CONTACTS = _P + "contactsLocationsModule.centralContacts"
LOCATIONS = _P + "contactsLocationsModule.locations"
OFFICIALS = _P + "contactsLocationsModule.overallOfficials"
VERSION_HOLDER = "derivedSection.miscInfoModule.versionHolder"
HAS_RESULTS = "hasResults"

# What only a page says, or says in a shape of its own; the registry's record has no field for it.
PAGE_FUNDERS = "page.funderTypes"
PAGE_GROUPS = "page.patientGroups"
LOCATION_COUNT = LOCATIONS + ".count"  # a page states how many before it lists them
PAGE_LOCATIONS = "page.locations"
PAGE_AGES = "page.ages"
PAGE_SOURCE = "page.dataSource"
PAGE_COPYRIGHT = "page.copyright"
PAGE_UNRECOGNISED = "page.notUnderstood"

FACTS: Mapping[str, tuple[str, ...]] = {
    "title": (BRIEF_TITLE,),
    "official-title": (OFFICIAL_TITLE,),
    "registry-number": (NCT_ID,),
    "sponsor-number": (ORG_ID,),
    "sponsor": (SPONSOR,),
    "funder": (SPONSOR_CLASS, PAGE_FUNDERS),
    "status": (STATUS,),
    "phase": (PHASES,),
    "conditions": (CONDITIONS,),
    "treatments": (INTERVENTIONS,),
    "study-type": (STUDY_TYPE,),
    "summary": (SUMMARY,),
    "description": (DESCRIPTION,),
    "enrolment": (ENROLMENT_COUNT,),
    "sex": (SEX,),
    "ages": (MINIMUM_AGE, MAXIMUM_AGE, PAGE_AGES),
    "volunteers": (VOLUNTEERS,),
    "criteria": (CRITERIA,),
    "purpose": (PURPOSE,),
    "allocation": (ALLOCATION,),
    "model": (MODEL, OBSERVATIONAL_MODEL),
    "masking": (MASKING,),
    "masked-roles": (WHO_MASKED,),
    "arms": (ARMS,),
    "outcomes": (PRIMARY_OUTCOMES, SECONDARY_OUTCOMES, OTHER_OUTCOMES),
    "dates": (START, PRIMARY_COMPLETION, COMPLETION),
    "locations": (LOCATIONS, PAGE_LOCATIONS),
    "contact": (CONTACTS,),
}
"""What a reader looks for in a record, and the paths of which any answers it."""

_MODULE_NAMES = {
    "protocolSection": [
        "identification",
        "status",
        "sponsorCollaborators",
        "oversight",
        "description",
        "conditions",
        "design",
        "armsInterventions",
        "outcomes",
        "eligibility",
        "contactsLocations",
        "references",
        "ipdSharingStatement",
    ],
    "resultsSection": [
        "participantFlow",
        "baselineCharacteristics",
        "outcomeMeasures",
        "adverseEvents",
        "moreInfo",
    ],
    "annotationSection": ["annotation"],
    "documentSection": ["largeDocument"],
    "derivedSection": ["miscInfo", "conditionBrowse", "interventionBrowse"],
}
MODULES: frozenset[str] = frozenset(
    [f"{section}.{name}Module" for section, names in _MODULE_NAMES.items() for name in names] + [HAS_RESULTS]
)
"""The modules that the API describes. What stands outside them is kept and reported."""

CODES: Mapping[str, frozenset[str]] = {
    path: frozenset(codes.split())
    for path, codes in {
        STATUS: "ACTIVE_NOT_RECRUITING COMPLETED ENROLLING_BY_INVITATION NOT_YET_RECRUITING RECRUITING SUSPENDED "
        "TERMINATED WITHDRAWN AVAILABLE NO_LONGER_AVAILABLE TEMPORARILY_NOT_AVAILABLE APPROVED_FOR_MARKETING "
        "WITHHELD UNKNOWN",
        STUDY_TYPE: "EXPANDED_ACCESS INTERVENTIONAL OBSERVATIONAL",
        PHASES: "NA EARLY_PHASE1 PHASE1 PHASE2 PHASE3 PHASE4",
        SEX: "FEMALE MALE ALL",
        SPONSOR_CLASS: "NIH FED OTHER_GOV INDIV INDUSTRY NETWORK AMBIG OTHER UNKNOWN",
        ENROLMENT_TYPE: "ACTUAL ESTIMATED",
        ALLOCATION: "RANDOMIZED NON_RANDOMIZED NA",
        MODEL: "SINGLE_GROUP PARALLEL CROSSOVER FACTORIAL SEQUENTIAL",
        OBSERVATIONAL_MODEL: "COHORT CASE_CONTROL CASE_ONLY CASE_CROSSOVER ECOLOGIC_OR_COMMUNITY FAMILY_BASED "
        "DEFINED_POPULATION NATURAL_HISTORY OTHER",
        TIME_PERSPECTIVE: "RETROSPECTIVE PROSPECTIVE CROSS_SECTIONAL OTHER",
        PURPOSE: "TREATMENT PREVENTION DIAGNOSTIC ECT SUPPORTIVE_CARE SCREENING HEALTH_SERVICES_RESEARCH "
        "BASIC_SCIENCE DEVICE_FEASIBILITY OTHER",
        MASKING: "NONE SINGLE DOUBLE TRIPLE QUADRUPLE",
        WHO_MASKED: "PARTICIPANT CARE_PROVIDER INVESTIGATOR OUTCOMES_ASSESSOR",
        ARMS
        + "[].type": "EXPERIMENTAL ACTIVE_COMPARATOR PLACEBO_COMPARATOR SHAM_COMPARATOR NO_INTERVENTION OTHER",
        INTERVENTIONS + "[].type": "BEHAVIORAL BIOLOGICAL COMBINATION_PRODUCT DEVICE DIAGNOSTIC_TEST "
        "DIETARY_SUPPLEMENT DRUG GENETIC PROCEDURE RADIATION OTHER",
        SECONDARY_IDS + "[].type": "NIH FDA VA CDC AHRQ SAMHSA OTHER_GRANT EUDRACT_NUMBER REGISTRY OTHER",
    }.items()
}
"""Closed lists of the API by path; `[]` stands for any position in a list."""

SHAPES: tuple[tuple[tuple[str, ...], type], ...] = (
    (
        (NCT_ID, ORG_ID, BRIEF_TITLE, OFFICIAL_TITLE, STATUS, SPONSOR, SPONSOR_CLASS, SUMMARY, DESCRIPTION),
        str,
    ),
    ((STUDY_TYPE, ALLOCATION, MODEL, PURPOSE, MASKING, CRITERIA, SEX, MINIMUM_AGE, MAXIMUM_AGE), str),
    ((CONDITIONS, PHASES, WHO_MASKED, ARMS, INTERVENTIONS, CONTACTS, LOCATIONS), list),
    ((PRIMARY_OUTCOMES, SECONDARY_OUTCOMES, OTHER_OUTCOMES), list),
    ((ENROLMENT_COUNT,), int),
    ((VOLUNTEERS,), bool),
)
"""What kind of value the API describes at the paths that a skeleton is made from."""

STATUS_LABELS = {
    "Not yet enrolling": "NOT_YET_RECRUITING",
    "Not yet recruiting": "NOT_YET_RECRUITING",
    "Enrolling": "RECRUITING",
    "Recruiting": "RECRUITING",
    "Invitation-only": "ENROLLING_BY_INVITATION",
    "Enrolling by invitation": "ENROLLING_BY_INVITATION",
    "Active, not enrolling": "ACTIVE_NOT_RECRUITING",
    "Active, not recruiting": "ACTIVE_NOT_RECRUITING",
    "Completed": "COMPLETED",
    "Suspended": "SUSPENDED",
    "Terminated": "TERMINATED",
    "Withdrawn": "WITHDRAWN",
    "Withheld": "WITHHELD",
    "Unknown": "UNKNOWN",
    "Unknown status": "UNKNOWN",
    "Available": "AVAILABLE",
    "No longer available": "NO_LONGER_AVAILABLE",
    "Temporarily not available": "TEMPORARILY_NOT_AVAILABLE",
    "Approved for marketing": "APPROVED_FOR_MARKETING",
}
PHASE_LABELS = {
    "Early Phase 1": ("EARLY_PHASE1",),
    "Phase 1": ("PHASE1",),
    "Phase 2": ("PHASE2",),
    "Phase 3": ("PHASE3",),
    "Phase 4": ("PHASE4",),
    "Phase 1/Phase 2": ("PHASE1", "PHASE2"),
    "Phase 2/Phase 3": ("PHASE2", "PHASE3"),
    "Phase 1/2": ("PHASE1", "PHASE2"),
    "Phase 2/3": ("PHASE2", "PHASE3"),
    "N/A": ("NA",),
    "Not Applicable": ("NA",),
}
STUDY_TYPE_LABELS = {
    "Interventional": "INTERVENTIONAL",
    "Observational": "OBSERVATIONAL",
    "Expanded Access": "EXPANDED_ACCESS",
}
FUNDER_LABELS = {
    "Industry": "INDUSTRY",
    "NIH": "NIH",
    "U.S. Fed": "FED",
    "U.S. Federal": "FED",
    "Other U.S. Federal agency": "FED",
    "Other Government": "OTHER_GOV",
    "Individual": "INDIV",
    "Network": "NETWORK",
    "Other": "OTHER",
    "Unknown": "UNKNOWN",
}
SEX_LABELS = {"All": "ALL", "Female": "FEMALE", "Male": "MALE"}
VOLUNTEER_LABELS = {"No Healthy Volunteers": False, "Accepts Healthy Volunteers": True}
PURPOSE_LABELS = {
    "Treatment": "TREATMENT",
    "Prevention": "PREVENTION",
    "Diagnostic": "DIAGNOSTIC",
    "Supportive Care": "SUPPORTIVE_CARE",
    "Screening": "SCREENING",
    "Health Services Research": "HEALTH_SERVICES_RESEARCH",
    "Basic Science": "BASIC_SCIENCE",
    "Device Feasibility": "DEVICE_FEASIBILITY",
    "Educational/Counseling/Training": "ECT",
    "Other": "OTHER",
}
ALLOCATION_LABELS = {
    "Randomized": "RANDOMIZED",
    "Non-Randomized": "NON_RANDOMIZED",
    "N/A": "NA",
    "Not Applicable": "NA",
}
MODEL_LABELS = {
    "Parallel Assignment": "PARALLEL",
    "Single Group Assignment": "SINGLE_GROUP",
    "Crossover Assignment": "CROSSOVER",
    "Factorial Assignment": "FACTORIAL",
    "Sequential Assignment": "SEQUENTIAL",
}
OBSERVATIONAL_LABELS = {
    "Cohort": "COHORT",
    "Case-Control": "CASE_CONTROL",
    "Case-Only": "CASE_ONLY",
    "Case-Crossover": "CASE_CROSSOVER",
    "Family-Based": "FAMILY_BASED",
    "Ecologic or Community": "ECOLOGIC_OR_COMMUNITY",
    "Defined Population": "DEFINED_POPULATION",
    "Natural History": "NATURAL_HISTORY",
    "Other": "OTHER",
}
PERSPECTIVE_LABELS = {
    "Prospective": "PROSPECTIVE",
    "Retrospective": "RETROSPECTIVE",
    "Cross-Sectional": "CROSS_SECTIONAL",
    "Other": "OTHER",
}
MASKING_LABELS = {
    "None (Open label)": "NONE",
    "None": "NONE",
    "Open label": "NONE",
    "Single Blind": "SINGLE",
    "Double Blind": "DOUBLE",
    "Triple Blind": "TRIPLE",
    "Quadruple Blind": "QUADRUPLE",
}
ROLE_LABELS = {
    "Participant": "PARTICIPANT",
    "Care Provider": "CARE_PROVIDER",
    "Investigator": "INVESTIGATOR",
    "Outcomes Assessor": "OUTCOMES_ASSESSOR",
}
ARM_LABELS = {
    "Experimental group": "EXPERIMENTAL",
    "Active Comparator group": "ACTIVE_COMPARATOR",
    "Placebo Comparator group": "PLACEBO_COMPARATOR",
    "Sham Comparator group": "SHAM_COMPARATOR",
    "No Intervention group": "NO_INTERVENTION",
    "Other group": "OTHER",
}
INTERVENTION_LABELS = {
    "Behavioral": "BEHAVIORAL",
    "Biological": "BIOLOGICAL",
    "Combination Product": "COMBINATION_PRODUCT",
    "Device": "DEVICE",
    "Diagnostic Test": "DIAGNOSTIC_TEST",
    "Dietary Supplement": "DIETARY_SUPPLEMENT",
    "Drug": "DRUG",
    "Genetic": "GENETIC",
    "Procedure": "PROCEDURE",
    "Radiation": "RADIATION",
    "Other": "OTHER",
}

HEADINGS: Mapping[str, str] = {
    "status and phase": "status",
    "conditions": "conditions",
    "condition": "conditions",
    "treatments": "treatments",
    "study type": "study-type",
    "funder types": "funder",
    "funder type": "funder",
    "identifiers": "identifiers",
    "identifier": "identifiers",
    "details and patient eligibility": "details",
    "about": "summary",
    "full description": "description",
    "enrollment": "enrolment",
    "sex": "sex",
    "ages": "ages",
    "volunteers": "volunteers",
    "inclusion criteria": "inclusion",
    "exclusion criteria": "exclusion",
    "inclusion and exclusion criteria": "criteria",
    "trial design": "design",
    "primary purpose": "purpose",
    "allocation": "allocation",
    "interventional model": "model",
    "observational model": "observational-model",
    "time perspective": "time-perspective",
    "masking": "masking",
    "trial contacts and locations": "locations",
    "research sites": "locations",
    "central trial contact": "contact",
    "central trial contacts": "contact",
    "data sourced from clinicaltrials.gov": "provenance",
}
"""Headings of a trial page, in lower case, and the section each opens."""

DISTINCTIVE: frozenset[str] = frozenset(
    {"status", "funder", "details", "volunteers", "criteria", "model", "locations", "contact", "provenance"}
)
"""Sections whose headings hardly stand alone on a line of any other text."""

FREE_TEXT: frozenset[str] = frozenset({"summary", "description"})
CONTAINERS: frozenset[str] = frozenset({"details", "design"})
"""Sections that only hold other sections."""

PEOPLE: frozenset[str] = frozenset({"enrolment", "sex", "ages", "volunteers"})
"""Sections that say who is looked for; on a page they stand before the criteria."""
ORDER: tuple[str, ...] = (
    *("status", "conditions", "treatments", "study-type", "funder", "identifiers", "details", "summary"),
    *("description", "enrolment", "sex", "ages", "volunteers", "inclusion", "exclusion", "design", "purpose"),
    *("allocation", "model", "masking", "groups", "locations", "contact", "provenance"),
)
"""Sections in the order in which a page shows them."""

FURNITURE: frozenset[str] = frozenset(
    {
        "clinicaltrials.veeva",
        "menu",
        "loading...",
        "loading…",
        "clinical trials",
        "find clinical trialstrials by location",
        "find clinical trials",
        "trials by location",
    }
)
"""Lines of the page that are about the site and not about the trial, in lower case."""
