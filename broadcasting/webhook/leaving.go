package webhook

import (
	"container/heap"
	"time"
)

// leaving is a heap of subjects by the time to look at them. Subjects with equal times
// are in the order in which they left.
type leaving struct{ list []leaver }

// leaver is a subject as it was when it was pushed. It may have returned, and left
// again, since.
type leaver struct {
	*subject
	when time.Time
	nth  uint64
}

var _ heap.Interface = (*leaving)(nil)

func (l *leaving) push(s *subject) {
	s.at = true
	heap.Push(l, leaver{s, s.due, s.seq})
}

func (l *leaving) pop() *subject {
	s := heap.Pop(l).(leaver).subject
	s.at = false
	return s
}

// Len implements heap.Interface.
func (l *leaving) Len() int { return len(l.list) }

// Less implements heap.Interface.
func (l *leaving) Less(i, j int) bool {
	a, b := l.list[i], l.list[j]
	if !a.when.Equal(b.when) {
		return a.when.Before(b.when)
	}
	return a.nth < b.nth
}

// Swap implements heap.Interface.
func (l *leaving) Swap(i, j int) { l.list[i], l.list[j] = l.list[j], l.list[i] }

// Push implements heap.Interface.
func (l *leaving) Push(x any) { l.list = append(l.list, x.(leaver)) }

// Pop implements heap.Interface.
func (l *leaving) Pop() any {
	last := len(l.list) - 1
	x := l.list[last]
	l.list[last] = leaver{}
	l.list = l.list[:last]
	return x
}
