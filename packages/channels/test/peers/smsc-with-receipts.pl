# An SMSC with a codec that is not ours: Debian's Net::SMPP (libnet-smpp-perl).
#
#   perl smsc-with-receipts.pl PORT      0 takes any free port; prints "port N" when it listens
#
# It binds transceivers whose password is "secret", answers submit_sm, and sends receipts with TLVs. What it does with a
# message is chosen by the last three digits of its destination, so a test needs no second channel to it:
#   011 invalid destination   058 throttled   008 system error
#   900 takes it, never answers   901 takes it, drops the link   902 receipt twice   903 receipt before the answer
#   904 receipt for an id nobody knows, then the right one   905 id hexadecimal in the answer, decimal in the receipt
#   906 receipt by text alone, under the default alphabet     907 undeliverable     908 a message from a person first
# One line on stdout for each thing that happens: "bound", "enquired", "taken DEST ESM CODING HEX", "refused DEST",
# "ack STATUS", "unbound".
use strict;
use warnings;
use IO::Select;
use Net::SMPP;
$| = 1;

my %REFUSE = ( '011' => 0x0b, '058' => 0x58, '008' => 0x08 );
my $listener = Net::SMPP->new_listen( '127.0.0.1', port => $ARGV[0] // 0, smpp_version => 0x34, interface_version => 0x34 )
  or die "listen: $!";
print 'port ', $listener->sockport, "\n";

my $select = IO::Select->new($listener);
my $count  = 0x0a00_0000;

while (1) {
    for my $ready ( $select->can_read ) {
        if ( $ready == $listener ) { my $client = $listener->accept; $select->add($client) if $client; next; }
        my $pdu = $ready->read_pdu();
        if ( !$pdu || !serve( $ready, $pdu ) ) { $select->remove($ready); $ready->close; }
    }
}

sub serve {
    my ( $client, $pdu ) = @_;
    my ( $command, $sequence ) = ( $pdu->{cmd}, $pdu->{seq} );
    if ( $command == 0x09 ) {
        my $status = ( $pdu->{password} // '' ) eq 'secret' ? 0 : 0x0e;
        $client->bind_transceiver_resp( system_id => 'PERL', seq => $sequence, status => $status );
        print "bound\n" unless $status;
    }
    elsif ( $command == 0x15 ) { $client->enquire_link_resp( seq => $sequence ); print "enquired\n" }
    elsif ( $command == 0x06 ) { $client->unbind_resp( seq => $sequence ); print "unbound\n"; return 0 }
    elsif ( $command == 0x04 ) { return submit( $client, $pdu ) }
    elsif ( $command == 0x80000005 ) { printf "ack %d\n", $pdu->{status} }
    return 1;
}

sub submit {
    my ( $client, $pdu ) = @_;
    my $destination = $pdu->{destination_addr};
    my $case        = substr( $destination, -3 );
    if ( my $status = $REFUSE{$case} ) {
        print "refused $destination\n";
        $client->submit_sm_resp( message_id => '', seq => $pdu->{seq}, status => $status );
        return 1;
    }
    my $body = length( $pdu->{short_message} // '' ) ? $pdu->{short_message} : $pdu->{message_payload} // '';
    printf "taken %s %d %d %s\n", $destination, $pdu->{esm_class}, $pdu->{data_coding}, unpack( 'H*', $body );
    return 0 if $case eq '901';
    return 1 if $case eq '900';
    my $id     = sprintf '%08x', ++$count;
    my $spoken = $case eq '905' ? hex($id) : $id;
    receipt( $client, $pdu, $spoken ) if $case eq '903';
    $client->submit_sm_resp( message_id => $id, seq => $pdu->{seq} );
    return 1 if $case eq '903' || !$pdu->{registered_delivery};
    person( $client, $pdu ) if $case eq '908';
    receipt( $client, $pdu, 'ffffffff' ) if $case eq '904';
    receipt( $client, $pdu, $spoken );
    receipt( $client, $pdu, $spoken ) if $case eq '902';
    return 1;
}

sub person {
    my ( $client, $pdu ) = @_;
    $client->deliver_sm( source_addr => $pdu->{destination_addr}, destination_addr => $pdu->{source_addr}, esm_class => 0, short_message => 'STOP', async => 1 );
}

sub receipt {
    my ( $client, $pdu, $id ) = @_;
    my $case = substr( $pdu->{destination_addr}, -3 );
    my ( $stat, $state ) = $case eq '907' ? ( 'UNDELIV', "\x05" ) : ( 'DELIVRD', "\x02" );
    my $text = "id:$id sub:001 dlvrd:001 submit date:2611231700 done date:2611231701 stat:$stat err:000 text:" . substr( 'Something is waiting', 0, 20 );
    my @tlvs = $case eq '906' ? () : ( receipted_message_id => "$id\0", message_state => $state );
    $client->deliver_sm(
        source_addr      => $pdu->{destination_addr},
        destination_addr => $pdu->{source_addr},
        esm_class        => 4,
        data_coding      => 0,
        short_message    => $text,
        @tlvs,
        async => 1,
    );
}
