-- +goose Up

-- The processes that serve lines. While the row of a process is here, the lines that it
-- leases are its own. It changes beat; other processes remove the row when beat stays.
CREATE TABLE line_nodes (
    name    TEXT    NOT NULL PRIMARY KEY,
    type    TEXT    NOT NULL,
    beat    BIGINT  NOT NULL,
    leaving BOOLEAN NOT NULL DEFAULT FALSE
);
