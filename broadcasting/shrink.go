package broadcasting

import "maps"

// roomy is the number of entries up to which a map keeps its room.
const roomy = 128

// drop deletes k from a map whose size varies much, and gives back the room that is no
// longer needed: Go's maps keep the room they had at their fullest. most is the number
// of entries that the map has had room for; each map has its own.
func drop[K comparable, V any](m *map[K]V, most *int, k K) {
	*most = max(*most, len(*m)) // a map is at its fullest right before a deletion
	delete(*m, k)
	if *most <= roomy || len(*m) > *most/4 {
		return
	}
	smaller := make(map[K]V, len(*m))
	maps.Copy(smaller, *m)
	*m, *most = smaller, len(smaller)
}
