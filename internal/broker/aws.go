package broker

import (
	"context"
	"fmt"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
)

// openIAM returns the mechanism of Amazon MSK. franz-go signs requests. The AWS SDK finds credentials (environment,
// shared files, roles of service accounts, pods, containers and instances) and renews them. The search starts with the
// first authentication, because instance metadata is slow to time out where there is none.
func openIAM() sasl.Mechanism {
	load := sync.OnceValues(func() (awssdk.CredentialsProvider, error) {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		loaded, err := config.LoadDefaultConfig(ctx)
		return loaded.Credentials, err
	})
	return namingRegion{aws.ManagedStreamingIAM(func(ctx context.Context) (aws.Auth, error) {
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		provider, err := load()
		if err != nil {
			return aws.Auth{}, &Refusal{Err: fmt.Errorf("reading the AWS configuration: %w", err), Remedy: "check AWS_PROFILE and the shared files"}
		}
		found, err := provider.Retrieve(ctx)
		if err != nil {
			return aws.Auth{}, &Refusal{Err: fmt.Errorf("looking for AWS credentials: %w", err), Passing: true,
				Remedy: "provide them by environment, shared file, or the role of the container or instance"}
		}
		return aws.Auth{AccessKey: found.AccessKeyID, SecretKey: found.SecretAccessKey, SessionToken: found.SessionToken}, nil
	})}
}

// namingRegion adds a remedy for a broker whose name does not contain its region.
type namingRegion struct{ sasl.Mechanism }

// Authenticate implements [sasl.Mechanism].
func (m namingRegion) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := m.Mechanism.Authenticate(ctx, host)
	if _, ours := err.(*Refusal); err != nil && !ours { //nolint:errorlint // the callback above returns it unwrapped
		err = &Refusal{Err: fmt.Errorf("signing for %q: %w", host, err), Remedy: "use the broker names of Amazon MSK, or set AWS_REGION"}
	}
	return session, first, err
}
