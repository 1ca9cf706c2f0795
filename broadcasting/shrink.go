package broadcasting

import "maps"

// roomy is how many entries a map may have room for without need.
const roomy = 128

// drop deletes from a map that many come into and go from, and gives back the room
// that is not needed any more: Go's maps keep what they had at their fullest. most is
// how many entries it has had room for, and belongs to the map.
func drop[K comparable, V any](m *map[K]V, most *int, k K) {
	*most = max(*most, len(*m)) // the fullest is followed by a deletion
	delete(*m, k)
	if *most <= roomy || len(*m) > *most/4 {
		return
	}
	smaller := make(map[K]V, len(*m))
	maps.Copy(smaller, *m)
	*m, *most = smaller, len(smaller)
}
