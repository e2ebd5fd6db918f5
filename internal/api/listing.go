package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// listing gives the exported names of a package, sorted, one line for each that
// a program can depend on: also for each field and method.
func listing(p *types.Package) []string {
	l := &lister{home: p}
	for _, name := range p.Scope().Names() {
		if object := p.Scope().Lookup(name); object.Exported() {
			l.object(object)
		}
	}
	slices.Sort(l.lines)
	return l.lines
}

type lister struct {
	home  *types.Package
	lines []string
}

func (l *lister) f(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// text prints a type, with the names of other packages before theirs.
func (l *lister) text(t types.Type) string {
	return types.TypeString(bare(t), func(p *types.Package) string {
		if p == l.home {
			return ""
		}
		return p.Name()
	})
}

func (l *lister) signature(t types.Type) string { return strings.TrimPrefix(l.text(t), "func") }

func (l *lister) object(object types.Object) {
	switch object := object.(type) {
	case *types.Const:
		l.f("const %s %s = %s", object.Name(), l.text(object.Type()), object.Val().ExactString())
	case *types.Var:
		l.f("var %s %s", object.Name(), l.text(object.Type()))
	case *types.Func:
		l.f("func %s%s", object.Name(), l.signature(object.Type()))
	case *types.TypeName:
		if named, ok := object.Type().(*types.Named); ok && !object.IsAlias() {
			l.named(named)
		} else {
			l.f("type %s = %s", object.Name(), l.text(types.Unalias(object.Type())))
		}
	}
}

func (l *lister) named(t *types.Named) {
	name := t.Obj().Name()
	if under, ok := t.Underlying().(*types.Interface); ok {
		l.contract(name, under)
		return
	}
	l.methods(name, t)
	if under, ok := t.Underlying().(*types.Struct); ok {
		kind := "struct"
		if !types.Comparable(t) {
			kind = "struct, not comparable"
		}
		l.f("type %s %s", name, kind)
		l.fields(name, under)
		return
	}
	l.f("type %s %s", name, l.text(t.Underlying()))
}

// methods lists those of a type and of what is embedded in it.
func (l *lister) methods(name string, t *types.Named) {
	values := types.NewMethodSet(t)
	for selection := range types.NewMethodSet(types.NewPointer(t)).Methods() {
		m := selection.Obj()
		if !m.Exported() {
			continue
		}
		receiver := name
		if values.Lookup(m.Pkg(), m.Name()) == nil {
			receiver = "*" + name
		}
		l.f("method (%s) %s%s", receiver, m.Name(), l.signature(m.Type()))
	}
}

// fields lists those of a struct and of what it embeds without exporting it.
func (l *lister) fields(name string, t *types.Struct) {
	for i := range t.NumFields() {
		field, tag, embedded := t.Field(i), t.Tag(i), ""
		if under, ok := field.Type().Underlying().(*types.Struct); ok && field.Embedded() && !field.Exported() {
			l.fields(name, under)
		}
		if !field.Exported() {
			continue
		}
		if tag != "" {
			tag = " `" + tag + "`"
		}
		if field.Embedded() {
			embedded = "embedded "
		}
		l.f("type %s struct, %s%s %s%s", name, embedded, field.Name(), l.text(field.Type()), tag)
	}
}

// contract lists the methods of an interface: whoever implements it has to follow.
func (l *lister) contract(name string, t *types.Interface) {
	kind := "interface"
	for m := range t.Methods() {
		if !m.Exported() {
			kind = "interface, closed to other packages"
		}
	}
	l.f("type %s %s", name, kind)
	for m := range t.Methods() {
		if m.Exported() {
			l.f("type %s interface, %s%s", name, m.Name(), l.signature(m.Type()))
		}
	}
}

// bare leaves the names of parameters and results away, which no caller depends
// on, but for those of generic functions.
func bare(t types.Type) types.Type {
	s, ok := t.(*types.Signature)
	if !ok || s.TypeParams() != nil || s.RecvTypeParams() != nil {
		return t
	}
	unnamed := func(tuple *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range tuple.Variables() {
			vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), "", bare(v.Type())))
		}
		return types.NewTuple(vars...)
	}
	return types.NewSignatureType(nil, nil, nil, unnamed(s.Params()), unnamed(s.Results()), s.Variadic())
}
