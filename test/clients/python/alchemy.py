"""SQLAlchemy: reflection and the ORM over psycopg2."""

import datetime as dt
import decimal
import enum

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg

Base = orm.declarative_base()


class Colour(enum.Enum):
    red = 1
    blue = 2


class Author(Base):
    __tablename__ = "authors"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), nullable=False, unique=True)
    born = sa.Column(sa.Date, comment="day of birth")
    books = orm.relationship("Book", back_populates="author", cascade="all, delete-orphan", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        sa.CheckConstraint("price >= 0", name="price_is_positive"),
        sa.Index("books_title", sa.text("lower(title)")),
        sa.Index("books_cheap", "price", postgresql_where=sa.text("price < 10")),
        {"comment": "what authors write"},
    )
    id = sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    author_id = sa.Column(sa.ForeignKey("authors.id", ondelete="CASCADE"), nullable=False)
    title = sa.Column(sa.Text, nullable=False, server_default="untitled")
    price = sa.Column(sa.Numeric(10, 2))
    tags = sa.Column(pg.ARRAY(sa.Text))
    data = sa.Column(pg.JSONB)
    colour = sa.Column(sa.Enum(Colour, name="colour"))
    made = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    author = orm.relationship("Author", back_populates="books")


engine = sa.create_engine("postgresql+psycopg2://", future=True)
Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
Base.metadata.create_all(engine)  # finds that all is there

with orm.Session(engine, future=True) as s:
    a = Author(name="Ada", born=dt.date(1815, 12, 10))
    a.books = [Book(title=f"Book {i}", price=decimal.Decimal(i), tags=["a", "b"], data={"i": [i]}, colour=Colour.red) for i in range(20)]
    s.add_all([a, Author(name="Bob")])
    s.commit()
    assert a.books[3].id == 4 and a.books[3].made is not None
    q = sa.select(Author.name, sa.func.count(Book.id), sa.func.sum(Book.price)).join(Book, isouter=True).group_by(Author.name).order_by(Author.name)
    assert s.execute(q).all() == [("Ada", 20, decimal.Decimal("190.00")), ("Bob", 0, None)]
    cheap = s.scalars(sa.select(Book).where(Book.data["i"][0].astext.cast(sa.Integer) < 2, Book.tags.contains(["a"])).order_by(Book.id)).all()
    assert [b.title for b in cheap] == ["Book 0", "Book 1"] and cheap[0].colour is Colour.red
    s.execute(pg.insert(Author).values(name="Bob").on_conflict_do_update(index_elements=["name"], set_={"born": dt.date(2000, 1, 1)}))
    s.execute(sa.update(Book).where(Book.price > 15).values(price=Book.price + 1))
    s.delete(cheap[0])
    s.commit()
    try:
        s.add(Author(name="Ada"))
        s.commit()
        raise AssertionError("a duplicate was taken")
    except sa.exc.IntegrityError:
        s.rollback()
    with s.begin_nested():
        s.add(Author(name="Cid"))
    s.commit()
    assert s.scalar(sa.select(sa.func.sum(Book.price))) == decimal.Decimal("194.00")

i = sa.inspect(engine)
assert i.get_table_names() == ["authors", "books"], i.get_table_names()
cols = {c["name"]: c for c in i.get_columns("books")}
assert [c for c in cols] == ["id", "author_id", "title", "price", "tags", "data", "colour", "made"]
assert cols["id"]["identity"]["always"] is True and cols["id"]["autoincrement"] is True
assert str(cols["price"]["type"]) == "NUMERIC(10, 2)" and str(cols["tags"]["type"]) == "ARRAY"
assert cols["title"]["default"] == "'untitled'::text" and not cols["title"]["nullable"]
assert cols["colour"]["type"].enums == ["red", "blue"]
assert i.get_pk_constraint("books") == {"constrained_columns": ["id"], "name": "books_pkey", "comment": None} or i.get_pk_constraint("books")["constrained_columns"] == ["id"]
fk = i.get_foreign_keys("books")[0]
assert (fk["referred_table"], fk["constrained_columns"], fk["options"]) == ("authors", ["author_id"], {"ondelete": "CASCADE"}), fk
ix = {x["name"]: x for x in i.get_indexes("books")}
assert "price < " in ix["books_cheap"]["dialect_options"]["postgresql_where"], ix
assert i.get_unique_constraints("authors")[0]["column_names"] == ["name"]
assert i.get_check_constraints("books")[0]["sqltext"].startswith("price >= "), i.get_check_constraints("books")
assert i.get_table_comment("books") == {"text": "what authors write"}
assert {c["name"]: c["comment"] for c in i.get_columns("authors")}["born"] == "day of birth"
assert [e["name"] for e in i.get_enums()] == ["colour"]
assert "public" in i.get_schema_names() and i.get_view_names() == []
meta = sa.MetaData()
meta.reflect(engine)
assert set(meta.tables) == {"authors", "books"} and len(meta.tables["books"].foreign_keys) == 1
Base.metadata.drop_all(engine)
assert sa.inspect(engine).get_table_names() == []
print("fine")
