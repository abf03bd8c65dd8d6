"""Files of a cohort, shared by the runs on it: ``results/cohorts/<dataset>/``."""

from her2radiomics.core.contracts.declare import FROM_0_TO_1, Contract, number, text, whole
from her2radiomics.core.contracts.names import PARTITIONS

PATIENT = text("patient_id", "Identifier of the patient.", "Patient")
CENTRE = text("centre", "Where the patient was examined.", "Centre")
PERSON = text(
    "person",
    "Who the patient is, where two rows are lesions, breasts or examinations of one person: they share a partition, a fold "
    "and a resample. Empty: a person of one row.",
    "Person",
    optional=True,
)
PARTITION = text("partition", "Partition that the patient belongs to.", "Partition", values=PARTITIONS)
OUTCOME = whole("label", "Outcome: 1 positive, 0 negative.", "Outcome", values=("0", "1"))
SEQUENCE = text("sequence", "Sequence in the protocol; each DCE phase is one: DCE0, DCE2.", "Sequence")
READER = text(
    "reader", "Who outlined; the cohort's reference reader trains and tests, others serve reproducibility.", "Reader"
)
#: Columns of every feature table.
FEATURE_KEYS = (PATIENT, READER)
FEATURES = (
    "one per feature, named `<sequence>__<region>__<PyRadiomics name>`; features that a user brings keep their names"
)

QC_COLUMNS = (
    PATIENT,
    SEQUENCE,
    READER,
    text(
        "region",
        "Region of interest, made from the tumour mask: `tumour_volume`, `tumour_slice`, `ring_<n>mm_volume` or "
        "`ring_<n>mm_slice`.",
        "Region",
    ),
    text("image", "Image file.", "Image"),
    text("mask", "Mask file.", "Mask"),
    text("size", "Voxels along x, y and z, as `x×y×z`.", "Size"),
    text("spacing_mm", "Spacing of the voxels along x, y and z in mm, as `x×y×z`.", "Spacing (mm)"),
    whole("voxels", "Voxels in the region.", "Voxels", empty=True),
    number("volume_ml", "Volume of the region.", "Volume (ml)", "ml"),
    whole("slices", "Slices that the region lies in.", "Slices", empty=True),
    whole("slice_index", "Slice with the largest area.", "Largest slice (from 0)", empty=True),
    whole("grey_levels", "Grey levels in the region after discretisation.", "Grey levels", empty=True),
    number("minimum", "Smallest intensity in the region.", "Minimum"),
    number("maximum", "Largest intensity in the region.", "Maximum"),
    number("mean", "Mean intensity in the region.", "Mean"),
    number(
        "image_peak",
        "Largest magnitude in the whole image: square, square root, logarithm and exponential images are scaled by it.",
        "Peak of the image",
    ),
    text("plane", "How slices lie in the patient: axial, sagittal or coronal, oblique where they are turned.", "Plane"),
    number("image_share", "Share of the image's voxels in the reader's mask.", "Share of the image", FROM_0_TO_1),
    whole("mask_slices", "Slices that the reader's mask lies in.", "Slices of the mask", empty=True),
    whole("components", "Connected parts of the reader's mask.", "Parts of the mask", empty=True),
    number(
        "parts_distance_mm",
        "Distance from the largest part of the mask to the furthest other one.",
        "Distance of parts (mm)",
        "mm",
    ),
    number("dice", "Overlap of this reader's mask with the reference reader's.", "Dice with the reference", "0 to 1"),
    text(
        "image_hash", "Hash of the image's voxels as read: two cases with one hash are one image.", "Hash of the voxels"
    ),
    text(
        "status",
        "Whether features were extracted, and whether with a warning.",
        "Status",
        values=("extracted", "warned", "failed"),
    ),
    text("reason", "Why the case failed, or what the warning is.", "Reason"),
)
BATCH = "extraction/{parameters}.{regions}{preprocessing}/{sequence}/{batch}"

MEASURED_PARTS = "measured/{measures}/{batch}"
MEASURED_COLUMNS = (
    PATIENT,
    text("column", "Column of the protocol.", "Column"),
    text("value", "Number or level that was measured; empty where nothing could be.", "Value"),
    text("reason", "Why nothing could be measured.", "Reason"),
)

COHORT_FILES = (
    Contract(
        "registered",
        "participants.tsv",
        "Participants table: everybody who was registered, as read. All cells are text; the protocol types them.",
        (
            text("patient_id", "Letters, digits, '_', '-' and '.'; it becomes part of file names.", "Patient"),
            CENTRE,
            text("partition", "training, testing or external, where the user fixes the split.", optional=True),
            text("mri_date", "YYYY-MM-DD, where later patients are the external test.", "Date of MRI", optional=True),
            PERSON,
            text("exclude_reason", "Why the patient is left out; empty: included.", "Reason for exclusion"),
        ),
        others="the label and the columns of the protocols",
        home="cohort",
    ),
    Contract(
        "manifest",
        "images.tsv",
        "Manifest: what each reader outlined on each patient's sequence. A cohort's images are named here alone.",
        (
            text("patient_id", "Identifier, as in the participants table.", "Patient"),
            SEQUENCE,
            READER,
            text("region", "What the mask outlines; 'breast' is a breast mask, used to clip rings.", "Region"),
            text("image", "In one of the formats of [formats.md](formats.md); relative to the manifest.", "Image"),
            text(
                "mask",
                "Mask on the image's grid, or a segmentation of it ([formats.md](formats.md)); relative to the manifest.",
                "Mask",
            ),
            text(
                "mask_label",
                "The region where the mask holds several: its value in a label map (`2`; `1+3` for several values), its "
                "name or number in a segmentation ([formats.md](formats.md)).",
                "Region in the mask",
            ),
            text(
                "seconds",
                "Dynamic series: seconds from the injection to the middle of the phase, 0 or less before it; else empty.",
                "Time after injection (s)",
                optional=True,
            ),
            text(
                "b_value", "Diffusion-weighted imaging: b-value in s/mm²; else empty.", "b-value (s/mm²)", optional=True
            ),
        ),
        home="cohort",
    ),
    Contract(
        "brought_features",
        "features.parquet",
        "Feature table that the user brought; without rows where features are extracted from images.",
        FEATURE_KEYS,
        others=FEATURES,
        home="cohort",
    ),
    Contract(
        "key",
        "key.tsv",
        "Study number and identifier of each patient where the cohort numbers its patients, else no row. It stays in "
        "the institution.",
        (PATIENT, text("identifier", "Identifier in the user's own tables.")),
        home="cohort",
    ),
    Contract(
        "truth",
        "truth.tsv",
        "What was planted in each simulated patient: to check an analysis, never to make one.",
        (PATIENT, CENTRE),
        others="traits, physical quantities, scores and the outcome, as `docs/simulation.md` describes them",
        home="cohort",
        digits=6,
    ),
    Contract("simulated_note", "SIMULATED.md", "Says that a cohort is simulated, and how.", home="cohort"),
    Contract(
        "batch_features",
        f"{BATCH}.features.csv",
        "Features of one batch of patients and one sequence. Runs that ask for the same parameters, regions and "
        "preprocessing share them.",
        FEATURE_KEYS,
        others=FEATURES,
        home="cohort",
    ),
    Contract("batch_qc", f"{BATCH}.qc.csv", "Quality control of one batch of patients.", QC_COLUMNS, home="cohort"),
    Contract(
        "batch_software",
        f"{BATCH}.software.json",
        "Libraries that the batch's cases were computed with, and their versions.",
        home="cohort",
    ),
    Contract(
        "batch_overlays",
        f"{BATCH}.overlays",
        "Pictures `<patient>/<sequence>.png` of the outlines of one batch of patients.",
        home="cohort",
    ),
    Contract(
        "batch_measured",
        f"{MEASURED_PARTS}.csv",
        "Columns measured from the images of one batch of patients. Runs that measure the same columns share them.",
        MEASURED_COLUMNS,
        home="cohort",
    ),
    Contract(
        "measured_software",
        f"{MEASURED_PARTS}.software.json",
        "Libraries that the batch was measured with, and their versions.",
        home="cohort",
    ),
)
