package main

import (
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

	start, end int // bytes of the file that are replaced
	new        string
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
	var found []mutant
	add := func(kind string, from, to token.Pos, replacement string) {
		at := files.Position(from)
		found = append(found, mutant{
			File: name, Kind: kind, Line: at.Line, Column: at.Column, Text: strings.TrimSpace(lines[at.Line-1]),
			start: at.Offset, end: files.Position(to).Offset, new: replacement,
		})
	}
	swap := func(at token.Pos, operator token.Token) {
		for kind, pairs := range swaps {
			if other, ok := pairs[operator]; ok {
				add(kind, at, at+token.Pos(len(operator.String())), other.String())
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			swap(n.OpPos, n.Op)
		case *ast.AssignStmt:
			swap(n.TokPos, n.Tok)
		case *ast.IncDecStmt:
			swap(n.TokPos, n.Tok)
		case *ast.BranchStmt:
			swap(n.TokPos, n.Tok)
		case *ast.UnaryExpr:
			switch n.Op {
			case token.NOT:
				add("not", n.OpPos, n.X.Pos(), "")
			case token.SUB:
				add("sign", n.OpPos, n.X.Pos(), "")
			}
		case *ast.Ident:
			switch n.Name {
			case "true":
				add("boolean", n.Pos(), n.End(), "false")
			case "false":
				add("boolean", n.Pos(), n.End(), "true")
			}
		case *ast.IfStmt:
			if leaves(n.Body) {
				cond := source[files.Position(n.Cond.Pos()).Offset:files.Position(n.Cond.End()).Offset]
				add("guard", n.Cond.Pos(), n.Cond.End(), "false && ("+string(cond)+")")
			}
		}
		return true
	})
	slices.SortStableFunc(found, func(a, b mutant) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	type place struct{ kind, text string }
	seen := map[place]int{}
	for i := range found {
		m := &found[i]
		seen[place{m.Kind, m.Text}]++
		m.Occurrence = seen[place{m.Kind, m.Text}]
	}
	return found, nil
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
