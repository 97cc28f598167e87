package builtin

import "sync"

// keywordCategories maps PostgreSQL's key words to their category: U unreserved, C may not name functions or types,
// T may only name them, R reserved.
var keywordCategories = sync.OnceValue(func() map[string]byte {
	m := make(map[string]byte, 500)
	catalog("pg_keywords").Each(func(row []string) { m[Field(row[0])] = row[1][0] })
	return m
})

// reservedWord says whether an identifier must be quoted because it is a key word that is not unreserved.
func reservedWord(s string) bool {
	c, ok := keywordCategories()[s]
	return ok && c != 'U'
}
