// Package copyio reads and writes the three data formats of COPY: text, csv and binary, as the PostgreSQL manual
// describes them under "File Formats" of COPY.
package copyio
