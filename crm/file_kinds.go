package crm

import (
	"mime"
	"path"
	"strings"
	"unicode"

	"github.com/gabriel-vasile/mimetype"
)

// fileName returns a name to show: the last element of name, without control
// characters and without those that turn the direction of text, which could show another
// extension than the file has. It is never used as a path.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[len(runes)-maxName:]) // the end has the extension
	}
	if name == "" || name == "." || name == ".." || name == "/" {
		return "file"
	}
	return name
}

// sniffed is how many bytes at the beginning of a file tell its type.
const sniffed = 3072

// mimeOf returns the MIME type that the sender gave if it is specific, otherwise the
// type that the first bytes and the name tell. It says zip only of an archive: documents
// of offices are archives too.
func mimeOf(given, name string, head []byte) string {
	typ, _, err := mime.ParseMediaType(given)
	unknown := err != nil || typ == typeUnknown || !strings.Contains(typ, "/") || len(typ) > maxName
	if unknown || archives[typ] && len(head) > 0 {
		return typeOfContent(name, head)
	}
	return typ
}

const (
	typeUnknown = "application/octet-stream"
	typeZip     = "application/zip"
	typeText    = "text/plain"
	typeOLE     = "application/x-ole-storage" // the older documents of offices
)

// archives are the names of a zip file.
var archives = map[string]bool{typeZip: true, "application/x-zip-compressed": true, "application/x-zip": true}

// sameType maps mimetype's names of a type to the usual ones.
var sameType = map[string]string{"audio/x-m4a": "audio/mp4", "application/ogg": "audio/ogg", "application/x-ogg": "audio/ogg"}

// typeOfContent returns the MIME type of a file with this beginning. Its name decides
// only among types that begin alike.
func typeOfContent(name string, head []byte) string {
	typ, _, err := mime.ParseMediaType(mimetype.Detect(head).String())
	if err != nil || len(head) == 0 {
		return typeUnknown
	}
	if usual, ok := sameType[typ]; ok {
		typ = usual
	}
	named := mimeByExtension[strings.ToLower(path.Ext(name))]
	switch typ {
	case typeZip:
		if strings.HasPrefix(named, "application/vnd.o") { // openxmlformats, oasis
			return named
		}
	case typeOLE:
		if named == "application/msword" || strings.HasPrefix(named, "application/vnd.ms-") {
			return named
		}
	case typeText:
		if strings.HasPrefix(named, "text/") {
			return named
		}
	}
	return typ
}

// withExtension adds to a name without an extension the one of the file's type, as far as
// it is known.
func withExtension(name, mimeType string) string {
	if path.Ext(name) != "" || mimeType == typeText {
		return name
	}
	extension := ExtensionOf(mimeType)
	if len([]rune(name))+len(extension) > maxName {
		return name
	}
	return name + extension
}

// ExtensionOf returns the usual extension of a file's name for a MIME type, with its dot,
// or "" when there is none.
func ExtensionOf(mimeType string) string {
	switch mimeType {
	case "audio/ogg":
		return ".ogg"
	case "audio/mp4":
		return ".m4a"
	}
	if m := mimetype.Lookup(mimeType); m != nil {
		return m.Extension()
	}
	return ""
}

// Types of a message with a file that its sender may ask for.
const (
	MessageSticker = "sticker"
	MessageVoice   = "voice"
)

// kindAsked sets the type of a message with a file of this MIME type.
func (m *Outgoing) kindAsked(mimeType string) (err error) {
	if m.Type != SubtypeVideoNote {
		m.Type, err = typeAsked(m.Type, mimeType)
		return err
	}
	if kind, _, _ := strings.Cut(mimeType, "/"); kind != "video" && mimeType != "" {
		return Invalid("type", "can be videoNote only of a video")
	}
	if m.Content.Caption != "" {
		return Invalid("caption", "must be empty: round videos have none")
	}
	m.Type, m.Subtype = MessageVideo, SubtypeVideoNote
	return nil
}

// typeAsked returns the type of a message with a file of this MIME type: the one that its
// sender asks for, when the file can be that. An empty mimeType is not known yet.
func typeAsked(asked, mimeType string) (string, error) {
	kind, _, _ := strings.Cut(mimeType, "/")
	switch {
	case asked == "":
		return typeOfFile(mimeType), nil
	case asked == MessageSticker && (mimeType == "image/webp" || mimeType == ""):
		return asked, nil
	case asked == MessageSticker:
		return "", Invalid("type", "can be sticker only of a file of type image/webp")
	case asked == MessageVoice && (kind == "audio" || mimeType == "video/webm" || mimeType == ""):
		return asked, nil
	case asked == MessageVoice:
		return "", Invalid("type", "can be voice only of a file with sound alone")
	case asked == MessageDocument:
		return asked, nil
	case asked == MessageImage, asked == MessageVideo, asked == MessageAudio:
		if is := typeOfFile(mimeType); mimeType != "" && is != asked {
			return "", Invalid("type", "can be %s only of a file that is one", asked)
		}
		return asked, nil
	}
	return "", Invalid("type", "must be sticker, voice, videoNote, image, video, audio, document or absent")
}

func typeOfFile(mimeType string) string {
	switch kind, _, _ := strings.Cut(mimeType, "/"); kind {
	case "image":
		return MessageImage
	case "video":
		return MessageVideo
	case "audio":
		return MessageAudio
	}
	return MessageDocument
}

// mimeByExtension maps the extension of an address to a MIME type. The system's own
// table is not used, because it differs from machine to machine.
var mimeByExtension = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp",
	".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".wav": "audio/wav",
	".pdf": "application/pdf", ".zip": "application/zip", ".txt": "text/plain", ".csv": "text/csv",
	".doc": "application/msword", ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xls": "application/vnd.ms-excel", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".ppt": "application/vnd.ms-powerpoint", ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt": "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	".odp": "application/vnd.oasis.opendocument.presentation",
}
