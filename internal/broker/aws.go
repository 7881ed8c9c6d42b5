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

// openIAM returns the mechanism of Amazon MSK. franz-go signs; the credentials come from the AWS SDK,
// which knows where they are in each of AWS's places (environment, shared files, roles for service accounts
// and pods, containers, instances), keeps them, and gets new ones before they expire. Nothing is looked for
// before the first authentication: to ask an instance that is none takes its time.
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
			return aws.Auth{}, &Refusal{Err: fmt.Errorf("reading the configuration of AWS: %w", err), Remedy: "look at AWS_PROFILE and the shared files"}
		}
		found, err := provider.Retrieve(ctx)
		if err != nil {
			return aws.Auth{}, &Refusal{Err: fmt.Errorf("looking for AWS credentials: %w", err), Passing: true,
				Remedy: "give them by environment, shared file, or the role of the container or instance"}
		}
		return aws.Auth{AccessKey: found.AccessKeyID, SecretKey: found.SecretAccessKey, SessionToken: found.SessionToken}, nil
	})}
}

// namingRegion tells what to do where the region is not part of the broker's name.
type namingRegion struct{ sasl.Mechanism }

// Authenticate begins a session.
func (m namingRegion) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := m.Mechanism.Authenticate(ctx, host)
	if _, ours := err.(*Refusal); err != nil && !ours { //nolint:errorlint // as the callback above returns it
		err = &Refusal{Err: fmt.Errorf("signing for %q: %w", host, err), Remedy: "name the brokers as Amazon MSK does, or set AWS_REGION"}
	}
	return session, first, err
}
