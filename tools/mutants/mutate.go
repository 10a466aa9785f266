package main

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// A mutant is one small fault put into a file.
type mutant struct {
	File       string // the file's name within its package
	Kind       string
	Line       int
	Column     int
	Text       string // the trimmed line of the source, by which an explanation finds it when lines have moved
	Occurrence int    // among the mutants of this kind with this text in this file, from 1

	at         int // the byte that Line and Column name
	start, end int // bytes of the file that are replaced
	new        string
	condition  bool // they are a whole condition: true or false, and no constant
}

// swaps are the operators that are put in the place of another, by the kind of fault.
var swaps = map[string]map[token.Token]token.Token{
	"negation": {
		token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR,
	},
	"boundary": {
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	},
	"arithmetic": {
		token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
		token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
		token.INC: token.DEC, token.DEC: token.INC,
	},
	"bits": {
		token.AND: token.OR, token.OR: token.AND, token.AND_NOT: token.AND, token.XOR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
	},
	"logic": {
		token.LAND: token.LOR, token.LOR: token.LAND,
	},
	"loop": {
		token.BREAK: token.CONTINUE, token.CONTINUE: token.BREAK,
	},
}

// mutate finds every mutant of a file, in the order of the source. Those that do not compile (a minus between strings) are found out later.
func mutate(name string, source []byte) ([]mutant, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(source), "\n")
	offset := func(at token.Pos) int { return files.Position(at).Offset }
	text := func(from, to token.Pos) string { return string(source[offset(from):offset(to)]) }
	var found []mutant
	var constants token.Pos // where the last declaration of constants ends
	add := func(kind string, at, from, to token.Pos, replacement string, condition bool) {
		position := files.Position(at)
		found = append(found, mutant{
			File: name, Kind: kind, Line: position.Line, Column: position.Column, Text: strings.TrimSpace(lines[position.Line-1]),
			at: position.Offset, start: offset(from), end: offset(to), new: replacement, condition: condition && from >= constants,
		})
	}
	statement := func(at token.Pos, operator token.Token) {
		for kind, other := range swapped(operator) {
			add(kind, at, at, after(at, operator), other, false)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				constants = n.End()
			}
		case *ast.BinaryExpr:
			for kind, other := range swapped(n.Op) {
				condition := kind != "arithmetic" && kind != "bits"
				add(kind, n.OpPos, n.Pos(), n.End(), "("+text(n.Pos(), n.OpPos)+other+text(after(n.OpPos, n.Op), n.End())+")", condition)
			}
		case *ast.AssignStmt:
			statement(n.TokPos, n.Tok)
		case *ast.IncDecStmt:
			statement(n.TokPos, n.Tok)
		case *ast.BranchStmt:
			statement(n.TokPos, n.Tok)
		case *ast.UnaryExpr:
			switch n.Op {
			case token.NOT:
				add("not", n.OpPos, n.Pos(), n.End(), text(n.X.Pos(), n.End()), true)
			case token.SUB:
				add("sign", n.OpPos, n.OpPos, n.X.Pos(), "", false)
			}
		case *ast.Ident:
			switch n.Name {
			case "true":
				add("boolean", n.Pos(), n.Pos(), n.End(), "false", true)
			case "false":
				add("boolean", n.Pos(), n.Pos(), n.End(), "true", true)
			}
		case *ast.IfStmt:
			if leaves(n.Body) {
				add("guard", n.Cond.Pos(), n.Cond.Pos(), n.Cond.End(), "false && ("+text(n.Cond.Pos(), n.Cond.End())+")", true)
			}
		}
		return true
	})
	slices.SortStableFunc(found, func(a, b mutant) int { return cmp.Or(a.at-b.at, strings.Compare(a.Kind, b.Kind)) })
	type place struct{ kind, text string }
	seen := map[place]int{}
	for i := range found {
		m := &found[i]
		seen[place{m.Kind, m.Text}]++
		m.Occurrence = seen[place{m.Kind, m.Text}]
	}
	return found, nil
}

// swapped are the operators that are put in the place of one, by the kind of fault.
func swapped(operator token.Token) map[string]string {
	others := map[string]string{}
	for kind, pairs := range swaps {
		if other, ok := pairs[operator]; ok {
			others[kind] = other.String()
		}
	}
	return others
}

// after is where an operator ends.
func after(at token.Pos, operator token.Token) token.Pos {
	return at + token.Pos(len(operator.String()))
}

// leaves says whether a block ends by leaving what is round it: then the condition before it is a guard, and a mutant takes it away.
func leaves(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	switch block.List[len(block.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// apply is the source with the fault in it.
func (m mutant) apply(source []byte) []byte {
	return slices.Concat(source[:m.start], []byte(m.new), source[m.end:])
}
