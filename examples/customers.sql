-- The example data as table customers.  Run in the project's root folder: psql -f examples/customers.sql
CREATE SEQUENCE customer_number;

CREATE TABLE customers (
	customer_id text PRIMARY KEY DEFAULT 'C' || lpad(nextval('customer_number')::text, 4, '0'),
	churn text NOT NULL,
	female integer,
	senior_citizen integer,
	partner integer,
	dependents integer,
	tenure integer,
	phone_service integer,
	multiple_lines text,
	internet_service text,
	online_security text,
	online_backup text,
	device_protection text,
	tech_support text,
	streaming_tv text,
	streaming_movies text,
	contract text,
	paperless_billing integer,
	payment_method text,
	monthly_charges numeric,
	total_charges numeric
);

\copy customers (churn, female, senior_citizen, partner, dependents, tenure, phone_service, multiple_lines, internet_service, online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies, contract, paperless_billing, payment_method, monthly_charges, total_charges) FROM 'examples/data/wa_churn.csv' (FORMAT csv, HEADER)

ANALYZE customers;
