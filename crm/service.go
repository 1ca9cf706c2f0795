package crm

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/refusals"
	"chatcast/models"
)

// Live is the part of the engine that the rules use. Its methods never block on a
// socket and are called after the commit.
type Live interface {
	// Wake tells the relay that the journal has grown.
	Wake()
	// Unsubscribe ends the user's subscriptions to the channels, on every socket. It returns
	// an error, as those that follow, when not every node with sockets was told.
	Unsubscribe(userID int64, channels ...string) error
	// Disconnect closes the user's sockets with 4009.
	Disconnect(userID int64) error
	// EndEarlierSessions closes, with 4009, those for which no session from this one on has
	// vouched.
	EndEarlierSessions(userID, session int64) error
	// EndSession closes, with 4009, the sockets that a session of the user vouched for.
	EndSession(userID, session int64) error
	// ExtendSession tells those sockets that the session goes on until then.
	ExtendSession(userID, session int64, until time.Time)
	// Publish sends an event that the journal must not hold to the current subscribers
	// of the channels. data is JSON.
	Publish(channels []string, name, data string)
}

// Tracer follows a change into the events that it causes.
type Tracer interface {
	// Change is called when a change begins, with the context of what causes it. trace
	// goes with the change's events; end is called when the change is over, with the names
	// of the events.
	Change(ctx context.Context) (trace broadcasting.Trace, end func(events []string, err error))
}

// Options configure a Service.
type Options struct {
	Store        *models.Store
	Live         Live
	Nodes        bool             // other processes on the store serve sockets too, see RunAccessEnds
	Journal      *Journal         // shared with the relay; nil: New makes one over Store
	Now          func() time.Time // time.Now when nil
	Log          *slog.Logger
	PasswordCost int       // bcrypt's; 0 is bcrypt.DefaultCost
	Files        FileStore // stores attachments; nil: none can be stored
	MaxFile      int64     // size of an attachment, in bytes; 0 is DefaultMaxFile
	// SendWithin is how long a message may wait in the outbox of its line before it
	// has failed; 0 is DefaultSendWithin.
	SendWithin time.Duration
	// FirstContactsPerDay is how many people a line with an account may write to first
	// in 24 hours; 0: any number.
	FirstContactsPerDay int
	// ChecksPerDay is about how many numbers a line may ask its messenger on one day of
	// UTC; 0: any number.
	ChecksPerDay int
	PublicURL    string // start of the links to attachments: "https://chat.example.com"; may be empty
	// Messengers serve the lines, by messenger type; "" serves all other types.
	Messengers map[string]Messenger
	// Callbacks posts to callback URLs; nil: nothing can be posted.
	Callbacks CallbackPoster
	// AppWebhooks posts to the webhooks of apps; nil: nothing can be posted.
	AppWebhooks AppWebhooks
	// Tracer follows changes; nil: nothing does.
	Tracer Tracer
	// ConfigApps are the Pusher apps of the configuration file, which no rule changes; see
	// SetConfigApps.
	ConfigApps []apps.App
	// AuditRetention is how long entries of the audit log are kept; 0: for ever.
	AuditRetention time.Duration
	Refusals       *refusals.Log // counts failed sign-ins and the like; nil: nothing does
	DefaultShape   string        // of new instances; empty is ShapeV2
	ExposeTokens   bool          // keeps the keys of new instances, see InstanceToken
	SearchTime     time.Duration // of a search in messages; 0 is DefaultSearchTime
}

// Service implements the rules of the CRM. It is safe for concurrent use.
type Service struct {
	Options

	appsChanged func(ctx context.Context) // see OnAppsChanged
	configApps  atomic.Pointer[[]apps.App]

	secret    fileSecret
	passwords *passwords
	signIns   *throttle

	sends       sends
	searches    chan struct{} // holds one for each search in messages that runs
	streamReads chan struct{} // holds one for each read of StreamEvents that runs
	invitations *throttle     // guesses of codes of invitations
	codes       *throttle     // guesses of codes of second factors
	checks      *throttle     // numbers that lines ask their messenger about
	numbers     *numberCache  // what the messengers answered
	instances   *InstanceDirectory
	failures    *failures    // failed attempts that the audit log is to have
	cleaned     atomic.Int64 // when expired tokens were last removed, unix seconds
	untouched   atomic.Int64 // when the use of a session could not be noted, unix seconds
}

// New returns a Service over o.Store.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Journal == nil {
		o.Journal = NewJournal(o.Store)
	}
	if o.Files == nil {
		o.Files = noFiles{}
	}
	if o.Callbacks == nil {
		o.Callbacks = noCallbacks{}
	}
	if o.AppWebhooks == nil {
		o.AppWebhooks = noAppWebhooks{}
	}
	if o.DefaultShape == "" {
		o.DefaultShape = ShapeV2
	}
	if o.SearchTime == 0 {
		o.SearchTime = DefaultSearchTime
	}
	s := &Service{Options: o, searches: make(chan struct{}, max(1, o.Store.Readers()/2)), streamReads: make(chan struct{}, max(1, o.Store.Readers()/2)), passwords: newPasswords(o.PasswordCost), signIns: newThrottle(), codes: newThrottle(), invitations: newThrottle(), failures: newFailures(),
		checks: newThrottle(), numbers: newNumberCache(), instances: newInstanceDirectory()}
	s.SetConfigApps(o.ConfigApps)
	if o.Log != nil {
		o.Journal.logTo(o.Log)
	}
	return s
}

// SetConfigApps replaces the apps of the configuration file.
func (s *Service) SetConfigApps(list []apps.App) { s.configApps.Store(&list) }

// OnAppsChanged sets the function that is called after each change of an app. f returns
// when the change is in force; its ctx does not end with the request. OnAppsChanged
// must be called before the first request.
func (s *Service) OnAppsChanged(f func(ctx context.Context)) { s.appsChanged = f }

// Actor identifies who acts: a user, through an app ("app_685_1"), or a key, by the user that
// stands for it. The zero Actor stands for the outside: a customer, a messenger, the clock.
type Actor struct {
	UserID int64
	AppID  string
	KeyID  int64 // says how the actor was authenticated; rules do not go by it, see KeyOf
}
