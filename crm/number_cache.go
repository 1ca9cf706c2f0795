package crm

import (
	"hash/maphash"
	"sync"
	"time"
)

// How long what a messenger said about a number is believed: people join at any time, and
// leave seldom.
const (
	presentFor = 24 * time.Hour
	absentFor  = time.Hour
	maxNumbers = 50_000 // about ten megabytes
)

// numberCache remembers what messengers said about numbers. It is safe for concurrent use.
type numberCache struct {
	seed maphash.Seed

	mu      sync.Mutex
	answers lru[numberAnswer] // guarded by mu
}

type numberAnswer struct {
	of     numberKey
	answer CheckedNumber
	until  time.Time
}

type numberKey struct {
	on     Line
	number string
}

func newNumberCache() *numberCache {
	return &numberCache{seed: maphash.MakeSeed(), answers: newLRU[numberAnswer](maxNumbers)}
}

// known returns the answers that are remembered, and the other numbers.
func (n *numberCache) known(now time.Time, on Line, numbers []string) (answers map[string]CheckedNumber, others []string) {
	answers = map[string]CheckedNumber{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, number := range numbers {
		of := numberKey{on, number}
		if k := n.answers.get(maphash.Comparable(n.seed, of)); k != nil && k.of == of && now.Before(k.until) {
			answers[number] = k.answer
		} else {
			others = append(others, number)
		}
	}
	return answers, others
}

func (n *numberCache) put(now time.Time, on Line, number string, answer CheckedNumber) {
	k := numberAnswer{of: numberKey{on, number}, answer: answer, until: now.Add(absentFor)}
	if answer.Exists {
		k.until = now.Add(presentFor)
	}
	key := maphash.Comparable(n.seed, k.of)
	n.mu.Lock()
	defer n.mu.Unlock()
	if before := n.answers.get(key); before != nil {
		*before = k
		return
	}
	n.answers.put(key, k)
}
