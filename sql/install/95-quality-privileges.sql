-- Privileges of expectations and validations: those of their dataset

GRANT SELECT ON churnops.expectations, churnops.validations TO PUBLIC;

ALTER TABLE churnops.expectation ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.expectation FOR SELECT
	USING (dataset IN (SELECT d.name FROM churnops.datasets AS d));

ALTER TABLE churnops.validation ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_usable ON churnops.validation FOR SELECT
	USING (dataset IN (SELECT d.name FROM churnops.datasets AS d));
