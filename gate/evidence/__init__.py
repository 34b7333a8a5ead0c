"""Evidence: from needs to measured numbers, the Evidently report that shows them, and the pictures beside it.

`gather.py` is the way in. A family file answers needs from profile parts; `metrics.py` and `report.py` are the only
files that the Evidently library reaches, besides `sampled.py`, which runs Evidently's own metrics on sampled rows.
"""
