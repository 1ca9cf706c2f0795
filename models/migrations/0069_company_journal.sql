-- +goose Up

-- What all lines of a company have said is read in the order of the numbers.
CREATE INDEX journal_company ON journal (company_id, seq) WHERE seq IS NOT NULL;
