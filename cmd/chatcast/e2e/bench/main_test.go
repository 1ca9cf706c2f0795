package bench

import (
	"fmt"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m, func() {
		for _, line := range summary {
			fmt.Println(line)
		}
	})
}
