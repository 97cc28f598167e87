package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// createFunction makes a function or procedure in SQL.
func (e *Env) createFunction(ctx context.Context, s *parser.CreateFunctionStmt) (Result, error) {
	word := "function"
	if s.Procedure {
		word = "procedure"
	}
	res := Result{Tag: "CREATE " + strings.ToUpper(word)}
	schemaName, name := splitName(s.Name.Parts)
	schema, err := e.creationSchema(ctx, "", schemaName)
	if err != nil {
		return res, err
	}
	f := &catalog.Function{Schema: schema.OID, Name: name, Owner: e.User, Procedure: s.Procedure, Volatility: 'v'}
	if err := e.functionOptions(f, s); err != nil {
		return res, err
	}
	if err := e.functionParams(ctx, f, s); err != nil {
		return res, err
	}
	if err := e.functionReturns(f, s); err != nil {
		return res, err
	}
	if err := e.functionBody(f, s); err != nil {
		return res, err
	}
	e.functionDepends(f)
	var old *catalog.Function
	for _, o := range e.snap().FunctionsNamed(schema.OID, name) {
		if slices.EqualFunc(o.ArgTypes, f.ArgTypes, func(a, b datum.Type) bool { return a.OID == b.OID }) {
			old = o
		}
	}
	if old != nil {
		if err := e.replaceFunction(f, old, s, word); err != nil {
			return res, err
		}
	} else {
		if f.OID, err = e.newOID(ctx); err != nil {
			return res, err
		}
		f.ACL = e.defaultACL(schema.OID, 'f', catalog.PrivAllFunction, catalog.PrivExecute)
	}
	if err := e.put(ctx, f); err != nil {
		return res, err
	}
	return res, e.Engine.CheckFunction(ctx, e.snap(), e.Path, f)
}

// replaceFunction makes sure that a function may take the place of another, and takes over what stays.
func (e *Env) replaceFunction(f, old *catalog.Function, s *parser.CreateFunctionStmt, word string) error {
	switch {
	case !s.Replace:
		return failure.New(failure.DuplicateFunction, "function \"%s\" already exists with same argument types", f.Name)
	case !e.snap().Member(e.User, old.Owner):
		return catalog.NotOwner(word, f.Name)
	case old.Procedure != f.Procedure:
		kind := "function"
		if old.Procedure {
			kind = "procedure"
		}
		return failure.New(failure.WrongObjectType, "cannot change routine kind").WithDetail("\"%s\" is a %s.", f.Name, kind)
	}
	hint := "Use DROP " + strings.ToUpper(word) + " " + e.functionText(old) + " first."
	sameColumns := slices.EqualFunc(old.OutTypes, f.OutTypes, func(a, b datum.Type) bool { return a.OID == b.OID }) &&
		slices.Equal(old.OutNames, f.OutNames)
	if old.ReturnType.OID != f.ReturnType.OID || old.ReturnSet != f.ReturnSet {
		return failure.New(failure.InvalidFunctionDefinition, "cannot change return type of existing function").WithHint("%s", hint)
	}
	if !sameColumns {
		return failure.New(failure.InvalidFunctionDefinition, "cannot change return type of existing function").
			WithDetail("Row type defined by OUT parameters is different.").WithHint("%s", hint)
	}
	for i, n := range old.ArgNames {
		if n != "" && f.ArgNames[i] != n {
			return failure.New(failure.InvalidFunctionDefinition, "cannot change name of input parameter \"%s\"", n).WithHint("%s", hint)
		}
	}
	if len(f.Defaults) < len(old.Defaults) {
		return failure.New(failure.InvalidFunctionDefinition, "cannot remove parameter defaults from existing function").WithHint("%s", hint)
	}
	f.OID, f.Owner, f.ACL, f.Comment = old.OID, old.Owner, old.ACL, old.Comment
	return nil
}

// functionDepends notes the users' types in a function's signature.
func (e *Env) functionDepends(f *catalog.Function) {
	for _, t := range append(append([]datum.Type{f.ReturnType}, f.ArgTypes...), f.OutTypes...) {
		oid := t.OID
		if el := e.Facts.ElementType(oid); el != 0 {
			oid = el
		}
		if row := e.snap().TableOfRowType(oid); row != nil {
			oid = row.OID
		}
		if oid >= catalog.FirstUserOID && !slices.Contains(f.DependsOn, oid) {
			f.DependsOn = append(f.DependsOn, oid)
		}
	}
}

func (e *Env) functionText(f *catalog.Function) string {
	args := make([]string, len(f.ArgTypes))
	for i, t := range f.ArgTypes {
		args[i] = e.Facts.TypeName(t.OID)
	}
	return f.Name + "(" + strings.Join(args, ",") + ")"
}

// functionOptions reads the options but for the body.
func (e *Env) functionOptions(f *catalog.Function, s *parser.CreateFunctionStmt) error {
	f.Language = "sql"
	if s.Return == nil && !s.HasBody {
		f.Language = ""
	}
	for _, o := range s.Options {
		text := ""
		if c, ok := o.Arg.(*parser.Const); ok {
			text = strings.ToLower(c.Str)
		}
		switch o.Name {
		case "language":
			f.Language = text
		case "volatility":
			if f.Volatility = 'v'; text != "" {
				f.Volatility = text[0]
			}
		case "strict":
			c, ok := o.Arg.(*parser.Const)
			f.Strict = ok && c.Bool
		case "security":
			if c, ok := o.Arg.(*parser.Const); ok && c.Bool {
				return failure.NotSupported("SECURITY DEFINER is")
			}
		case "window":
			return failure.NotSupported("WINDOW functions written by users are")
		case "set":
			return failure.NotSupported("CREATE FUNCTION ... SET is")
		case "transform":
			return failure.NotSupported("TRANSFORM is")
		}
	}
	switch f.Language {
	case "sql":
		return nil
	case "":
		return failure.New(failure.InvalidFunctionDefinition, "no language specified")
	case "plpgsql", "c", "internal":
		return failure.NotSupported("functions in language \"%s\" are", f.Language)
	}
	return failure.New(failure.UndefinedObject, "language \"%s\" does not exist", f.Language)
}

// functionParams reads the parameters.
func (e *Env) functionParams(ctx context.Context, f *catalog.Function, s *parser.CreateFunctionStmt) error {
	seen := map[string]bool{}
	for _, p := range s.Params {
		t, err := e.Engine.ResolveType(e.snap(), e.Path, p.Type)
		if err != nil {
			return err
		}
		t.Mod = -1
		in := p.Mode != parser.ParamOut && p.Mode != parser.ParamTable
		if p.Name != "" {
			key := p.Name
			if seen[key] && (in || p.Mode != parser.ParamOut) {
				return e.at(failure.New(failure.InvalidFunctionDefinition, "parameter name \"%s\" used more than once", p.Name), p.Pos)
			}
			seen[key] = true
		}
		if !in || p.Mode == parser.ParamInOut {
			f.OutNames, f.OutTypes = append(f.OutNames, p.Name), append(f.OutTypes, t)
		}
		if !in {
			continue
		}
		if f.Variadic {
			return failure.New(failure.InvalidFunctionDefinition, "VARIADIC parameter must be the last input parameter")
		}
		f.Variadic = p.Mode == parser.ParamVariadic
		f.ArgNames, f.ArgTypes = append(f.ArgNames, p.Name), append(f.ArgTypes, t)
		if p.Default == nil {
			if len(f.Defaults) > 0 {
				return failure.New(failure.InvalidFunctionDefinition, "input parameters after one with a default value must also have defaults")
			}
			continue
		}
		info, err := e.bindExpr(ctx, ExprRequest{Kind: ExprDefault, Snapshot: e.snap(), Path: e.Path, Expr: p.Default, Want: t, Text: e.Text})
		if err != nil {
			return err
		}
		f.Defaults = append(f.Defaults, info.Text)
	}
	return nil
}

// functionReturns works out the result.
func (e *Env) functionReturns(f *catalog.Function, s *parser.CreateFunctionStmt) error {
	f.Table = s.ReturnsTable
	f.ReturnSet = s.ReturnsTable || s.Returns != nil && s.Returns.SetOf
	record := datum.T(datum.OIDRecord)
	switch {
	case s.Procedure:
		f.ReturnType = datum.T(datum.OIDVoid)
		if len(f.OutTypes) > 0 {
			f.ReturnType = record
		}
		return nil
	case s.ReturnsTable:
	case s.Returns != nil:
		t, err := e.Engine.ResolveType(e.snap(), e.Path, s.Returns)
		if err != nil {
			return err
		}
		t.Mod = -1
		f.ReturnType = t
	case len(f.OutTypes) == 0:
		return failure.New(failure.InvalidFunctionDefinition, "function result type must be specified")
	}
	want := record
	switch len(f.OutTypes) {
	case 0:
		return nil
	case 1:
		want = f.OutTypes[0]
	}
	if s.Returns != nil && f.ReturnType.OID != want.OID {
		return failure.New(failure.InvalidFunctionDefinition, "function result type must be %s because of OUT parameters", e.Facts.TypeName(want.OID))
	}
	f.ReturnType = want
	return nil
}

// functionBody finds the text of the body.
func (e *Env) functionBody(f *catalog.Function, s *parser.CreateFunctionStmt) error {
	switch {
	case s.Return != nil:
		f.Body = "SELECT " + parser.Format(s.Return)
		return nil
	case s.HasBody:
		var parts []string
		for _, st := range s.Body {
			parts = append(parts, parser.Format(st))
		}
		f.Body = strings.Join(parts, ";\n")
		return nil
	}
	for _, o := range s.Options {
		if l, ok := o.Arg.(*parser.NameList); ok && o.Name == "as" {
			if len(l.Names) > 1 {
				return failure.New(failure.InvalidFunctionDefinition, "only one AS item needed for language \"%s\"", f.Language)
			}
			f.Body = l.Names[0]
			return nil
		}
	}
	return failure.New(failure.InvalidFunctionDefinition, "no function body specified")
}

// ownFunction finds the one function that an ALTER names, for its owner, as a copy.
func (e *Env) ownFunction(object parser.ObjectType, o *parser.Object) (*catalog.Function, error) {
	got, err := e.dropFunction(&parser.DropStmt{Object: object}, o)
	if err != nil {
		return nil, err
	}
	c := *e.snap().FunctionByOID(got.oid)
	return &c, nil
}

func (e *Env) renameFunction(ctx context.Context, s *parser.RenameStmt) error {
	f, err := e.ownFunction(s.Object, s.Target)
	if err != nil {
		return err
	}
	f.Name = s.NewName
	if err := e.freeFunction(f, f.Schema); err != nil {
		return err
	}
	return e.put(ctx, f)
}

// freeFunction makes sure that no other function has the name and the arguments.
func (e *Env) freeFunction(f *catalog.Function, schema catalog.OID) error {
	for _, o := range e.snap().FunctionsNamed(schema, f.Name) {
		if o.OID != f.OID && slices.EqualFunc(o.ArgTypes, f.ArgTypes, func(a, b datum.Type) bool { return a.OID == b.OID }) {
			return failure.New(failure.DuplicateFunction, "function %s already exists in schema \"%s\"", e.functionText(f), e.snap().SchemaName(schema))
		}
	}
	return nil
}

func (e *Env) functionOwner(ctx context.Context, s *parser.AlterOwnerStmt) error {
	f, err := e.ownFunction(s.Object, s.Target)
	if err != nil {
		return err
	}
	r, err := e.newOwner(s.Owner, f.Schema)
	if err != nil {
		return err
	}
	f.ACL, f.Owner = aclForOwner(f.ACL, f.Owner, r.OID), r.OID
	return e.put(ctx, f)
}

func (e *Env) functionSchema(ctx context.Context, s *parser.AlterObjectSchemaStmt, schema catalog.OID) error {
	f, err := e.ownFunction(s.Object, s.Target)
	if err != nil {
		return err
	}
	if err := e.freeFunction(f, schema); err != nil {
		return err
	}
	f.Schema = schema
	return e.put(ctx, f)
}

// alterFunction changes the options of a function.
func (e *Env) alterFunction(ctx context.Context, s *parser.AlterFunctionStmt) (Result, error) {
	res := Result{Tag: "ALTER " + s.Object.String()}
	f, err := e.ownFunction(s.Object, s.Target)
	if err != nil {
		return res, err
	}
	volatility, strict := f.Volatility, f.Strict
	sqlOnly := &parser.CreateFunctionStmt{Options: s.Options, HasBody: true}
	if err := e.functionOptions(f, sqlOnly); err != nil {
		return res, err
	}
	said := func(name string) bool {
		return slices.ContainsFunc(s.Options, func(o *parser.DefElem) bool { return o.Name == name })
	}
	if !said("volatility") {
		f.Volatility = volatility
	}
	if !said("strict") {
		f.Strict = strict
	}
	return res, e.put(ctx, f)
}
