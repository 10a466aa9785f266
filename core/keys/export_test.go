package keys

// KMSID says whether AWS names a key so.
func KMSID(id string) bool { return kmsID(id) }

// Members and Elements take a text apart.
func Members(text []byte) (map[string][]byte, error)     { return members(text) }
func Elements(text []byte) (list [][]byte, isArray bool) { return elements(text) }
