package exec

type cteStore struct{}
type workTable struct{}
