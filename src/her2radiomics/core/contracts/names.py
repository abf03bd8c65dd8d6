"""Names that tables and paths share."""

#: Partitions in the order of the papers.
PARTITIONS = ("training", "testing", "external")
TRAINING = PARTITIONS[0]
#: The reader whose outlines train and test where the cohort names no other.
FIRST_READER = "1"
