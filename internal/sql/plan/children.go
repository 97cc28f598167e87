package plan

// Children implements Node.
func (n *Values) Children() []Node { return nil }

// Children implements Node.
func (n *Result) Children() []Node { return nil }

// Children implements Node.
func (n *Empty) Children() []Node { return nil }

// Children implements Node.
func (n *PointGet) Children() []Node { return nil }

// Children implements Node.
func (n *BatchGet) Children() []Node { return nil }

// Children implements Node.
func (n *Scan) Children() []Node { return nil }

// Children implements Node.
func (n *LookupJoin) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *HashJoin) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *MergeJoin) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *NestLoop) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *ProjectSet) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Distinct) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Agg) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *WindowAgg) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *SetOp) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *Append) Children() []Node { return n.Inputs }

// Children implements Node: the plans of the CTEs, then the input.
func (n *With) Children() []Node {
	out := make([]Node, 0, len(n.CTEs)+1)
	for _, c := range n.CTEs {
		out = append(out, c.Plan)
	}
	return append(out, n.Input)
}

// Children implements Node.
func (n *CTEScan) Children() []Node { return nil }

// Children implements Node.
func (n *RecursiveUnion) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *WorkTableScan) Children() []Node { return nil }

// Children implements Node.
func (n *FunctionScan) Children() []Node { return nil }

// Children implements Node.
func (n *LockRows) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Materialize) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Insert) Children() []Node { return []Node{n.Source} }

// Children implements Node.
func (n *Update) Children() []Node { return []Node{n.Source} }

// Children implements Node.
func (n *Delete) Children() []Node { return []Node{n.Source} }

// Children implements Node.
func (n *Merge) Children() []Node { return []Node{n.Source} }

// Children implements Node.
func (n *SystemScan) Children() []Node { return nil }
