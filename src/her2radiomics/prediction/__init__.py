"""A saved model for one new patient: from images to a page, and the calculator (see ``docs/predict.md``)."""
