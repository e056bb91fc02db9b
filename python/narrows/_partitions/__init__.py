"""What an engine such as Spark or Ray does with a part of the rows: the work that `narrows.spark` and `narrows.ray` share.

A plan is made on the driver, where it refuses what does not fit; workers get the plan and parts as Arrow tables. Nothing
here knows an engine, and what workers import needs neither estimators nor scikit-learn, so that they start soon.
"""
