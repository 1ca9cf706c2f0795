package whatsapp

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/crm"
)

// Error codes of messages that were not sent, in addition to those of the rules.
const (
	codeNotOnWhatsApp = crm.SendNotOnWhatsApp
	codeReachout      = crm.SendReachoutLocked // 463: the account may not write to new people for now
	codeLocked        = "locked"               // the account is locked for new people; it waits, and was not tried
	codeGuarded       = "guarded"              // the line's rating holds it back; it waits
	codeRejected      = "rejected"             // 479, and codes of WhatsApp without a code here
	codeForbidden     = crm.SendForbidden      // 403
	codeTooLarge      = "media_too_large"
	codeNoFile        = "file_missing"
	codeLink          = "link_failed" // the linked file cannot be fetched
	codeUnsupported   = "unsupported"
	codeOffline       = "offline"
	codeTimeout       = "no_answer"
	codeBusy          = "rate_limited"
	codeStore         = "file_store_away"
	codeFault         = "fault" // of this program, which is in the log
)

// outcomeOf returns the outcome of a sending error: a retry of the same message, or a
// final failure.
func outcomeOf(err error, attempts int, now time.Time) crm.Outcome {
	again := func(code, message string) crm.Outcome {
		return crm.Outcome{Status: crm.OutRetry, NotBefore: now.Add(retryAfter(attempts)), Error: &crm.SendError{Code: code, Message: message}}
	}
	never := func(code, message string) crm.Outcome {
		return crm.Outcome{Status: crm.OutFailed, Time: now, Error: &crm.SendError{Code: code, Message: message}}
	}
	var refusal *crm.Error
	var link *linkError
	var fault *panicError
	switch {
	case errors.As(err, &fault):
		return never(codeFault, "this server met a fault of its own with the message; its log says more")
	case errors.As(err, &link) && link.again:
		return again(link.code, link.message+"; it is tried again")
	case errors.As(err, &link):
		return never(link.code, link.message)
	case errors.Is(err, errNotOnWhatsApp), noHiddenID.MatchString(err.Error()):
		return never(codeNotOnWhatsApp, "this number has no WhatsApp")
	case errors.Is(err, errNowhere), errors.Is(err, whatsmeow.ErrUnknownServer), errors.Is(err, whatsmeow.ErrBroadcastListUnsupported):
		return never(codeUnsupported, "WhatsApp has no such chat")
	case errors.Is(err, errNothing):
		return never(codeUnsupported, "WhatsApp has no form for this message")
	case errors.As(err, &refusal) && refusal.Code == crm.CodeNotFound:
		return never(codeNoFile, "the attachment is not there any more")
	case storeUnavailable(err):
		return again(codeStore, "the attachment cannot be read now; it is sent when it can")
	case errors.Is(err, errTooLong):
		return never(codeTooLarge, "the attachment is too large for WhatsApp")
	case errors.Is(err, whatsmeow.ErrNotInGroup), errors.Is(err, whatsmeow.ErrGroupNotFound):
		return never(codeForbidden, "the account is not in this group")
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		return refusedBy(serverCode(err), again, never)
	case uploadCode(err) == 413:
		return never(codeTooLarge, "the attachment is too large for WhatsApp")
	case errors.Is(err, whatsmeow.ErrMessageTimedOut), errors.Is(err, context.DeadlineExceeded), errors.Is(err, whatsmeow.ErrIQTimedOut):
		return again(codeTimeout, "WhatsApp did not answer; it is sent again under the same id")
	case errors.Is(err, whatsmeow.ErrIQRateOverLimit):
		return again(codeBusy, "WhatsApp asks to send more slowly")
	}
	return again(codeOffline, "the connection to WhatsApp was lost; it is sent again")
}

// refusedBy returns the outcome for an error code of WhatsApp.
func refusedBy(code int, again, never func(code, message string) crm.Outcome) crm.Outcome {
	number := " (" + strconv.Itoa(code) + ")"
	switch code {
	case 463:
		return never(codeReachout, "WhatsApp does not let the account write to new people for now"+number)
	case 403:
		return never(codeForbidden, "WhatsApp does not let the account write to this chat"+number)
	case 404:
		return never(codeNotOnWhatsApp, "WhatsApp does not know this chat"+number)
	case 429:
		return again(codeBusy, "WhatsApp asks to send more slowly"+number)
	case 500, 503, 408:
		return again(codeOffline, "WhatsApp could not take it now"+number)
	}
	return never(codeRejected, "WhatsApp refused the message"+number)
}

var (
	serverCodeForm = regexp.MustCompile(`server returned error (\d+)`)
	// noHiddenID is the error for a number that WhatsApp has no hidden id of. Direct
	// messages are addressed by hidden id.
	noHiddenID     = regexp.MustCompile(`^no LID found for `)
	uploadCodeForm = regexp.MustCompile(`upload failed with status code (\d+)`)
)

// serverCode returns the server's code from the text of a whatsmeow error, or 0.
func serverCode(err error) int { return number(serverCodeForm, err) }

func uploadCode(err error) int { return number(uploadCodeForm, err) }

func number(form *regexp.Regexp, err error) int {
	found := form.FindStringSubmatch(err.Error())
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1]) // cannot be a syntax error; a number out of range is no known code
	return n
}

// retryAfter returns how long to wait after the given number of attempts.
func retryAfter(attempts int) time.Duration {
	return min(time.Minute, time.Second<<min(max(attempts-1, 0), 6))
}
