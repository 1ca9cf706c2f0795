// Package s3 is the file store in a bucket of an S3-compatible service. It owns the
// transfer of attachments to and from the bucket, and the meaning of the service's
// errors; the rules decide which files are stored and who may see them. Only this
// package uses minio-go.
//
// A file lies at prefix/ab/ab..., as in crm.Folder, so copying one into the other
// moves the store. A file that is larger than a part is sent as a multipart upload,
// with one part in memory at a time. Files are read with ranged GETs, which resume
// after a cut. A request that neither moves bytes nor answers for a while is given up
// and tried again, a few times.
//
// The package starts no goroutines except those of net/http's connections, which end
// with Close.
package s3
