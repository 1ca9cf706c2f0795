package broadcasting

import "context"

// memoryControl is the Control of one node of a Memory. It calls the other nodes
// directly.
type memoryControl struct {
	cluster *Memory
	handle  func(ctx context.Context, o Order) Answer
}

var _ Control = (*memoryControl)(nil)

// Attach implements Control.
func (c *memoryControl) Attach(handle func(ctx context.Context, o Order) Answer) {
	c.handle = handle
	m := c.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	m.controls = append(without(m.controls, c), c)
}

// Run implements Control.
func (c *memoryControl) Run(ctx context.Context) error {
	<-ctx.Done()
	m := c.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	m.controls = without(m.controls, c)
	return nil
}

// Survey implements Control.
func (c *memoryControl) Survey(ctx context.Context, o Order, enough func(Answer) bool) ([]Answer, error) {
	m := c.cluster
	m.mu.Lock()
	others := without(m.controls, c)
	m.mu.Unlock()
	if len(others) == 0 {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, ErrUnanswered
	}
	came := make(chan Answer, len(others))
	for _, node := range others {
		go func() { came <- node.handle(ctx, o) }()
	}
	answers := make([]Answer, 0, len(others))
	for len(answers) < len(others) {
		a, ok := nextAnswer(ctx, came)
		if !ok {
			return answers, ErrUnanswered
		}
		answers = append(answers, a)
		if enough != nil && enough(a) {
			break
		}
	}
	return answers, nil
}

// nextAnswer waits for an answer until ctx ends. An answer that has arrived by then counts.
func nextAnswer(ctx context.Context, came <-chan Answer) (a Answer, ok bool) {
	select {
	case a = <-came:
		return a, true
	case <-ctx.Done():
	}
	select {
	case a = <-came:
		return a, true
	default:
		return a, false
	}
}
