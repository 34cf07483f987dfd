// Azure's events for the app: run after the code is deployed, since Event Grid asks whether the function is there. `azd deploy` does.
targetScope = 'subscription'

@description('Resource id of the function app.')
param appId string

@description('Resource id of the storage account that keeps what could not be delivered within a day.')
param storageId string

@description('Subscriptions with clusters; empty = this one.')
param fleetSubscriptions array = []

var fleet = empty(fleetSubscriptions) ? [subscription().subscriptionId] : fleetSubscriptions

module subscriptions 'events/fleet.bicep' = [
  for id in fleet: {
    scope: subscription(id)
    name: 'sluice-fleet-events'
    params: { appId: appId, storageId: storageId }
  }
]
