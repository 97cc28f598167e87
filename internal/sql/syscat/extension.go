package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// oidMeridian is the extension that owns schema sys, so that tools like pg_dump leave the schema to the server.
const oidMeridian catalog.OID = 13899

const classExtension catalog.OID = 3079

// extension is a row of pg_extension.
type extension struct {
	oid, ns             catalog.OID
	name, version, text string
}

func extensions(emit func(*extension) error) error {
	if err := emit(&extension{13592, catalog.OIDPgCatalog, "plpgsql", "1.0", "PL/pgSQL procedural language"}); err != nil {
		return err
	}
	return emit(&extension{oidMeridian, catalog.OIDSys, "meridian", "1.0", "Meridian's own views"})
}

func defineExtensions(r *registry) {
	type X = extension
	produce(r, "pg_catalog.pg_extension", "", func(_ *query, emit func(*X) error) error { return extensions(emit) },
		col[X]{"oid", func(_ *query, x *X) datum.Datum { return dInt(x.oid) }},
		col[X]{"extname", func(_ *query, x *X) datum.Datum { return dText(x.name) }},
		col[X]{"extowner", func(*query, *X) datum.Datum { return dInt(catalog.OIDPostgres) }},
		col[X]{"extnamespace", func(_ *query, x *X) datum.Datum { return dInt(x.ns) }},
		col[X]{"extversion", func(_ *query, x *X) datum.Datum { return dText(x.version) }},
	)
	for _, name := range []string{"pg_available_extensions", "pg_available_extension_versions"} {
		cols := []col[X]{
			{"name", func(_ *query, x *X) datum.Datum { return dText(x.name) }},
			{"comment", func(_ *query, x *X) datum.Datum { return dText(x.text) }},
		}
		if name == "pg_available_extensions" {
			cols = append(cols,
				col[X]{"default_version", func(_ *query, x *X) datum.Datum { return dText(x.version) }},
				col[X]{"installed_version", func(_ *query, x *X) datum.Datum { return dText(x.version) }})
		} else {
			cols = append(cols,
				col[X]{"version", func(_ *query, x *X) datum.Datum { return dText(x.version) }},
				col[X]{"installed", func(*query, *X) datum.Datum { return dBool(true) }},
				col[X]{"superuser", func(*query, *X) datum.Datum { return dBool(true) }})
		}
		produce(r, "pg_catalog."+name, "", func(_ *query, emit func(*X) error) error { return extensions(emit) }, cols...)
	}
	defineInitPrivs(r)
}

// extensionMembers says which objects belong to extensions.
func (e *Env) extensionMembers(say func(dependency)) {
	say(dependency{classNamespace, catalog.OIDSys, 0, classExtension, oidMeridian, 0, 'e'})
	for t := range e.Snapshot.Tables() {
		if t.Schema == catalog.OIDSys {
			say(dependency{classRelation, t.OID, 0, classExtension, oidMeridian, 0, 'e'})
		}
	}
}

// initPriv is a row of pg_init_privs: what an object's privileges were before anybody granted any.
type initPriv struct {
	obj, class catalog.OID
	kind       byte
	acl        catalog.ACL
}

func defineInitPrivs(r *registry) {
	type P = initPriv
	produce(r, "pg_catalog.pg_init_privs", "objoid", func(q *query, emit func(*P) error) error {
		for s := range q.Snapshot.Schemas() {
			p := &P{s.OID, classNamespace, 'i', s.ACL}
			switch {
			case s.OID == catalog.OIDPublic:
				p.acl = catalog.PublicSchemaACL()
			case s.OID == catalog.OIDSys:
				p.kind = 'e'
			case s.OID > catalog.FirstUserOID:
				continue
			}
			if p.acl == nil {
				continue
			}
			if err := emit(p); err != nil {
				return err
			}
		}
		for t := range q.Snapshot.Tables() {
			if !t.Virtual {
				continue
			}
			p := &P{t.OID, classRelation, 'i', t.EffectiveACL()}
			if t.Schema == catalog.OIDSys {
				p.kind = 'e'
			}
			if err := emit(p); err != nil {
				return err
			}
		}
		return nil
	},
		col[P]{"objoid", func(_ *query, p *P) datum.Datum { return dInt(p.obj) }},
		col[P]{"classoid", func(_ *query, p *P) datum.Datum { return dInt(p.class) }},
		col[P]{"privtype", func(_ *query, p *P) datum.Datum { return dChar(p.kind) }},
		col[P]{"initprivs", func(q *query, p *P) datum.Datum { return q.dACL(p.acl) }},
	)
}
