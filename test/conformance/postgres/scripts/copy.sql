CREATE TABLE c (id int PRIMARY KEY, s text, n numeric, d date);
COPY c FROM STDIN;
1	hello	1.5	2024-01-01
2	tab\there	\N	\N
3	back\\slash\nnew	NaN	infinity
\.
SELECT * FROM c ORDER BY id;
COPY c TO STDOUT;
COPY c (s, id) TO STDOUT WITH (FORMAT csv, HEADER);
COPY c TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'nil', QUOTE '''', FORCE_QUOTE (s));
COPY (SELECT id, upper(s) FROM c WHERE id < 3 ORDER BY id) TO STDOUT;
COPY c (id, s) FROM STDIN (FORMAT csv);
10,"quoted, comma"
11,"two ""quotes"""
12,
13,""
\.
SELECT id, s, s IS NULL FROM c WHERE id >= 10 ORDER BY id;
COPY c FROM STDIN WITH CSV HEADER;
id,s,n,d
20,x,1,2024-02-02
\.
COPY c FROM STDIN;
1	dup	1	2024-01-01
\.
COPY c FROM STDIN;
30	missing
\.
COPY c FROM STDIN;
30	extra	1	2024-01-01	more
\.
COPY c FROM STDIN;
x	bad	1	2024-01-01
\.
COPY c FROM STDIN;
31	bad	zz	2024-01-01
\.
COPY c FROM STDIN;
32	bad	1	2024-99-01
\.
COPY c (id, nothing) FROM STDIN;
1	2
\.
COPY nothere FROM STDIN;
1
\.
COPY c (id, id) FROM STDIN;
1	2
\.
COPY c (id) FROM STDIN (FORMAT xml);
1
\.
COPY c (id) FROM STDIN (DELIMITER 'xx');
1
\.
COPY c (id) FROM STDIN (NULL 'n', FORMAT csv);
40
\.
COPY c (id, s) FROM STDIN (DELIMITER '|');
41|pipe
42|\N
\.
COPY c (id, s) FROM STDIN (FORMAT csv);
43,"unterminated
\.
SELECT count(*) FROM c;
COPY c (id, s) FROM STDIN (FORMAT csv, HEADER MATCH);
id,wrong
1,2
\.
COPY c TO '/tmp/x';
COPY c (id) FROM STDIN WHERE id > 101;
100
101
102
103
\.
SELECT id FROM c WHERE id >= 100 ORDER BY id;
COPY (INSERT INTO c (id) VALUES (200) RETURNING id) TO STDOUT;
COPY (SELECT 1, NULL, 'a	b', E'x\ny', ARRAY[1,2], true) TO STDOUT;
COPY (SELECT 1, NULL, '', 'a"b', 'x,y') TO STDOUT CSV;
CREATE TABLE cdef (id serial, v text DEFAULT 'd', g int GENERATED ALWAYS AS (id * 2) STORED);
COPY cdef (id) FROM STDIN;
5
\.
COPY cdef (v) FROM STDIN;
first
\.
SELECT * FROM cdef ORDER BY id;
COPY cdef (g) FROM STDIN;
1
\.
BEGIN;
COPY c (id) FROM STDIN;
300
\.
ROLLBACK;
SELECT count(*) FROM c WHERE id = 300;
CREATE VIEW cv AS SELECT id FROM c;
COPY cv TO STDOUT;
COPY (TABLE cv ORDER BY id LIMIT 1) TO STDOUT;
CREATE TABLE ck (a int CHECK (a > 0), b int NOT NULL);
COPY ck FROM STDIN;
1	1
-1	2
\.
COPY ck FROM STDIN;
1	\N
\.
COPY ck FROM STDIN (FORMAT csv);
1,
\.
SELECT count(*) FROM ck;
COPY c (id, s) TO STDOUT (FORMAT csv, FORCE_QUOTE *);
