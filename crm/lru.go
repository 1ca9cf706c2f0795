package crm

import "container/list"

// lru is a map that holds the most recently used values. It is not safe for concurrent
// use.
type lru[V any] struct {
	most   int
	byKey  map[uint64]*list.Element
	recent *list.List // of *lruEntry[V], the most recently used first
}

type lruEntry[V any] struct {
	key   uint64
	value V
}

func newLRU[V any](most int) lru[V] {
	return lru[V]{most: most, byKey: map[uint64]*list.Element{}, recent: list.New()}
}

// get returns the value of key, nil if there is none. It counts as a use.
func (l *lru[V]) get(key uint64) *V {
	e, ok := l.byKey[key]
	if !ok {
		return nil
	}
	l.recent.MoveToFront(e)
	return &e.Value.(*lruEntry[V]).value
}

// put adds the value of a key that has none, and removes the least recently used one
// when there are too many.
func (l *lru[V]) put(key uint64, value V) *V {
	if l.recent.Len() >= l.most {
		oldest := l.recent.Back()
		delete(l.byKey, oldest.Value.(*lruEntry[V]).key)
		l.recent.Remove(oldest)
	}
	entry := &lruEntry[V]{key, value}
	l.byKey[key] = l.recent.PushFront(entry)
	return &entry.value
}

func (l *lru[V]) len() int { return l.recent.Len() }
