-- A shop with 500 made-up customers, and the segments that marketing works with.

CREATE TABLE customers (
  id integer PRIMARY KEY,
  email text NOT NULL,
  first_name text,
  last_name text,
  postcode text,
  born date,
  points integer NOT NULL DEFAULT 0,
  spent numeric(12, 2) NOT NULL DEFAULT 0,
  newsletter_since timestamptz,  -- signed up for it
  newsletter_until timestamptz,  -- and no longer wants it
  updated_at timestamptz NOT NULL
);

-- Each row has a time of its own: a load begins with the rows that have the time of the last row of
-- the load before, and that is one.
CREATE FUNCTION note_the_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

INSERT INTO customers
SELECT
  number,
  'customer' || number || '@example.org',
  (ARRAY['Ada', 'Ben', 'Cleo', 'Dee', 'Eve', 'Finn', 'Grace', 'Hugo'])[1 + number % 8],
  CASE WHEN number % 10 <> 0 THEN (ARRAY['Ash', 'Brook', 'Carver', 'Dale', 'Ellis'])[1 + number % 5] END,
  'N' || 1 + number % 20 || ' ' || number % 9 || 'GU',
  date '1950-01-01' + number * 37,
  number * 7 % 1250,
  number * 19.99,
  CASE WHEN number % 5 <> 0 THEN timestamptz '2025-01-01 09:30+01' + number * interval '1 hour' END,
  NULL,
  timestamptz '2025-03-01 12:00+00' + number * interval '1 minute'
FROM generate_series(1, 500) AS number;

CREATE TRIGGER customers_note_the_time BEFORE INSERT OR UPDATE ON customers
FOR EACH ROW EXECUTE FUNCTION note_the_time();

-- Who is in which segment: those who want the newsletter, and the VIPs among them.
-- Who has left the newsletter is still listed, as somebody who has left: a load of what has changed
-- would not notice that a row is missing.
CREATE SCHEMA marketing;
CREATE VIEW marketing.segments AS
SELECT
  'newsletter' AS segment,
  id, email, first_name, last_name, postcode, born, points, spent, newsletter_since, updated_at,
  newsletter_until AS _sdc_deleted_at
FROM customers
WHERE newsletter_since IS NOT NULL
UNION ALL
SELECT
  'vip',
  id, email, first_name, last_name, postcode, born, points, spent, newsletter_since, updated_at,
  NULL
FROM customers
WHERE points >= 1000 AND newsletter_since IS NOT NULL AND newsletter_until IS NULL;

-- Whom Meltano reads as: it sees the segments, and nothing else. The data is made up, and the
-- password no secret.
CREATE ROLE meltano LOGIN PASSWORD 'made-up';
GRANT USAGE ON SCHEMA marketing TO meltano;
GRANT SELECT ON marketing.segments TO meltano;
