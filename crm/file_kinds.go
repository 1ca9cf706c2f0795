package crm

import (
	"mime"
	"path"
	"strings"
)

// fileName returns a name to show: the last element of name, without control
// characters. It is never used as a path.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
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

// mimeOf returns the MIME type that the sender gave if it is specific, otherwise the
// type sniffed from the first bytes.
func mimeOf(given, sniffed string) string {
	typ, _, err := mime.ParseMediaType(given)
	if err != nil || typ == "application/octet-stream" || !strings.Contains(typ, "/") || len(typ) > maxName {
		typ, _, _ = mime.ParseMediaType(sniffed)
	}
	return typ
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
}
