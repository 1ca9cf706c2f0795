package config

import (
	"maps"
	"slices"

	"chatcast/crm/s3"
)

// Options converts s for the store.
func (s S3Config) Options() s3.Options {
	return s3.Options{
		Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix,
		AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: s.PathStyle,
	}
}

func checkFiles(f FilesConfig, violations *ConfigError) {
	if f.Dir == "" {
		violations.add("files.dir", "must name a folder")
	}
	limit{"max_bytes", f.MaxBytes, 1, 1 << 34}.check("files.", violations)
	checkS3(f.S3, violations)
}

// checkS3 lets the store check its options. Without a bucket, the other settings
// would silently have no effect.
func checkS3(s S3Config, violations *ConfigError) {
	const section = "files.s3."
	if s.Bucket == "" {
		for _, f := range []struct{ name, value string }{
			{"endpoint", s.Endpoint}, {"region", s.Region}, {"prefix", s.Prefix}, {"access_key", s.AccessKey}, {"secret_key", s.SecretKey},
		} {
			if f.value != "" {
				violations.add(section+"bucket", "is needed with %s%s; without it files are kept in files.dir", section, f.name)
				return
			}
		}
		return
	}
	wrong := s.Options().Check()
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		violations.add(section+name, "%s", wrong[name])
	}
}
