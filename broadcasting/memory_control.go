package broadcasting

import "context"

// memoryControl is a node's Control of a Memory: it calls the other nodes.
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
func (c *memoryControl) Survey(ctx context.Context, o Order) ([]Answer, error) {
	m := c.cluster
	m.mu.Lock()
	others := without(m.controls, c)
	m.mu.Unlock()
	if len(others) == 0 {
		return nil, nil
	}
	came := make(chan Answer, len(others))
	for _, node := range others {
		go func() { came <- node.handle(ctx, o) }()
	}
	answers := make([]Answer, 0, len(others))
	for range others {
		select {
		case a := <-came:
			answers = append(answers, a)
		case <-ctx.Done():
			return answers, ErrUnanswered
		}
	}
	return answers, nil
}
