-- TABLESAMPLE and COPY FROM ... WHERE.
create table t(id int primary key, b int);
insert into t select g, g from generate_series(1,1000) g;
create table n(a int);
insert into n values (1),(2);
create view v as select * from t;
select count(*) from t tablesample bernoulli(100);
select count(*) from t tablesample system(0);
select count(*) between 300 and 700 from t tablesample bernoulli(50);
select count(*) between 300 and 700 from t as x tablesample bernoulli(50) repeatable (3);
select (select count(*) from t tablesample bernoulli(20) repeatable (3)) = (select count(*) from t tablesample bernoulli(20) repeatable (3));
select (select sum(id) from t tablesample bernoulli(20) repeatable (3)) = (select sum(id) from t tablesample bernoulli(20) repeatable (4));
select * from n tablesample system(100) repeatable (5) order by 1;
select count(*) from v tablesample system(50);
with c as (select 1) select * from c tablesample system(50);
select count(*) from t tablesample system(101);
select count(*) from t tablesample system(-1);
select count(*) from t tablesample bernoulli(null);
select count(*) from t tablesample bernoulli(50) repeatable (null);
select count(*) from t tablesample bernoulli('100');
select count(*) from t tablesample bernoulli(count(*));
select count(*) from pg_class tablesample bernoulli(100) where false;
select count(*) from t tablesample bernoulli(99.9999) where id < 5;
drop table t cascade;
create table t(a int, b text, c int default 5, g int generated always as (a*2) stored);
copy t(a,b) from stdin where a > 1 and b like 'x%' and c = 5;
1	xa
2	xb
3	yc
4	xd
\.
table t;
copy t(a,b) from stdin where g > 1;
1	x
\.
copy t(a,b) from stdin where a;
1	x
\.
copy t(a,b) from stdin where nope > 1;
1	x
\.
copy t(a,b) from stdin where a in (select 1);
1	x
\.
copy t(a,b) from stdin where sum(a) > 1;
1	x
\.
copy t(a,b) from stdin csv header where a <> 7;
a,b
7,foo
8,bar
\.
table t;
copy t to stdout where a = 1;
