package whatsapptest_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.uber.org/goleak"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestMain(m *testing.M) {
	var quiet logger.Loggable = silence{}
	logger.Setup(&quiet) // it logs the errors that the tests cause on purpose
	srv, err := whatsapptest.Start(whatsapptest.Options{RootSeed: testRoot})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	srv.TrustRoot()
	srv.Close()
	// The intervals are shorter than any test, so that every test includes pings.
	// whatsmeow reads them without a lock.
	whatsmeow.KeepAliveIntervalMin, whatsmeow.KeepAliveIntervalMax = 300*time.Millisecond, 400*time.Millisecond
	whatsmeow.KeepAliveResponseDeadline = 500 * time.Millisecond
	testwait.Main(m,
		// whatsmeow's reader blocks forever on a frame that arrives just after its
		// client hung up.
		goleak.IgnoreAnyFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete"),
		// whatsmeow never ends the loop that reads history.
		goleak.IgnoreAnyFunction("go.mau.fi/whatsmeow.(*Client).handleHistorySyncNotificationLoop"))
}

type silence struct{}

func (silence) Debug(string, string)   {}
func (silence) Info(string, string)    {}
func (silence) Warning(string, string) {}
func (silence) Error(string, string)   {}
func (silence) Configure(string)       {}
